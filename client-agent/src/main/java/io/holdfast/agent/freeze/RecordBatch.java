package io.holdfast.agent.freeze;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts the records that several VMs want saved at one instant on disk by one write, and lets each VM go on after it: a
 * record is on disk before its VM's {@code stop} is sent, and no {@code stop} waits for the records of all others one by
 * one. Owned by the agent's loop.
 */
public final class RecordBatch {
    private final RecordStore store;
    private final List<Waiting> waiting = new ArrayList<>();
    private boolean gathering;

    /** @param then goes on; told what went wrong, or null */
    private record Waiting(FreezeRecord record, Consumer<@Nullable IOException> then) {}

    public RecordBatch(RecordStore store) {
        this.store = store;
    }

    public Optional<FreezeRecord> load(String vm) {
        return store.load(vm);
    }

    /**
     * Saves a record: now, or with the others if {@link #together} is under way.
     *
     * @param then called when the record is on disk, or with the reason why it is not: in the same turn of the loop
     */
    public void save(FreezeRecord record, Consumer<@Nullable IOException> then) {
        waiting.add(new Waiting(record, then));
        if (!gathering) {
            write();
        }
    }

    /** What is saved meanwhile is saved at once; whoever saves something goes on when this returns, at the latest. */
    public void together(Runnable what) {
        gathering = true;
        try {
            what.run();
        } finally {
            gathering = false;
            write();
        }
    }

    private void write() {
        List<Waiting> all = List.copyOf(waiting);
        waiting.clear();
        IOException failure = null;
        try {
            if (all.size() == 1) {
                store.save(all.get(0).record());
            } else if (!all.isEmpty()) {
                store.saveTogether(all.stream().map(Waiting::record).toList());
            }
        } catch (IOException e) {
            failure = e;
        }
        for (Waiting one : all) {
            one.then().accept(failure);
        }
    }
}
