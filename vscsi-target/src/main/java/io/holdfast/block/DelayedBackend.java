package io.holdfast.block;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A backend that can be told to hold operations back until they are released or discarded: a slow disk with a hand on it,
 * for drills and tests. Any thread; what is released runs on its own lane's thread.
 */
public final class DelayedBackend extends BackendFilter {
    private final Object lock = new Object();
    // Both guarded by lock.
    private final Set<BlockOperation> holding = EnumSet.noneOf(BlockOperation.class);
    private List<Held> held = new ArrayList<>();

    private record Held(IoLane lane, Runnable action, IoCallback done) {}

    public DelayedBackend(BlockBackend behind) {
        super(behind);
    }

    /** From now on these operations wait. */
    public void hold(BlockOperation operation) {
        synchronized (lock) {
            holding.add(operation);
        }
    }

    /** How many operations wait. */
    public int heldCount() {
        synchronized (lock) {
            return held.size();
        }
    }

    /** Holds nothing any more, and lets what waited run in the order in which it came. */
    public void release() {
        for (Held operation : takeAll()) {
            operation.lane.execute(operation.action);
        }
    }

    /** Holds nothing any more; what waited is never carried out, and is told so. */
    public void discardHeld(BlockError why) {
        for (Held operation : takeAll()) {
            operation.lane.execute(() -> operation.done.done(why));
        }
    }

    private List<Held> takeAll() {
        synchronized (lock) {
            holding.clear();
            List<Held> all = held;
            held = new ArrayList<>();
            return all;
        }
    }

    @Override
    boolean passesNow(BlockOperation operation) {
        synchronized (lock) {
            return !holding.contains(operation);
        }
    }

    @Override
    void pass(BlockOperation operation, IoLane lane, Runnable action, IoCallback done) {
        synchronized (lock) {
            if (holding.contains(operation)) {
                held.add(new Held(lane, action, done));
                return;
            }
        }
        action.run();
    }
}
