package io.holdfast.iscsi;

import java.util.ArrayList;
import java.util.List;

/**
 * Task attributes (SAM-5 §8): which of a session's commands may be executed now. Each I_T nexus has a task set of its own
 * at a logical unit, as the control mode page says (TST=001b), so a session needs to look at nobody else. Costs nothing
 * while all commands are SIMPLE. Owned by the session's event loop.
 */
final class TaskOrder {
    // RFC 7143 §11.3.1. Untagged commands (0) are SIMPLE ones.
    private static final int ORDERED = 2;
    private static final int HEAD_OF_QUEUE = 3;
    private static final int ACA = 4;

    private final List<TaskSet> taskSets = new ArrayList<>();
    private long numbered;
    /** ORDERED and HEAD OF QUEUE commands that have not ended: others may have to wait for them. */
    private int barriers;

    void add(TaskSet taskSet) {
        taskSets.add(taskSet);
    }

    /** A connection is gone. */
    void remove(TaskSet taskSet) {
        taskSets.remove(taskSet);
    }

    /** False for ACA, since there is no ACA condition here (NORMACA=0), and for what the standard does not define. */
    static boolean isKnown(int attribute) {
        return attribute < ACA;
    }

    /** A task enters its task set, in the order of its command. */
    void entered(IscsiTask task) {
        task.order = ++numbered;
        if (isBarrier(task)) {
            barriers++;
        }
    }

    /** A task has left its task set; true if others may have waited for that. */
    boolean left(IscsiTask task) {
        if (task.order == 0) {
            return false; // it never entered
        }
        task.order = 0;
        boolean waited = barriers > 0;
        if (isBarrier(task)) {
            barriers--;
        }
        return waited;
    }

    /** SAM-5 §8.2: may this task be in the enabled state? */
    boolean mayExecute(IscsiTask task) {
        return barriers == 0 || task.attribute == HEAD_OF_QUEUE || !waitsForOlder(task);
    }

    /** May a task begin that has perhaps not yet entered its task set? Not said of those that others wait for. */
    boolean mayBegin(IscsiTask task) {
        return barriers == 0 && !isBarrier(task);
    }

    private boolean waitsForOlder(IscsiTask task) {
        for (TaskSet taskSet : taskSets) {
            for (IscsiTask other : taskSet.tasks()) {
                if (other.stage != IscsiTask.Stage.FREE
                        && other.order != 0
                        && other.order < task.order
                        && other.device() == task.device()
                        && (task.attribute == ORDERED || isBarrier(other))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isBarrier(IscsiTask task) {
        return task.attribute == ORDERED || task.attribute == HEAD_OF_QUEUE;
    }

    /** Lets those go on that had to wait. */
    void retryHeld() {
        taskSets.forEach(TaskSet::retryHeld);
    }
}
