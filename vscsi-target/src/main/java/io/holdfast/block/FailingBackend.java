package io.holdfast.block;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A backend some of whose operations fail, without having been tried, for drills and tests. Any thread. */
public final class FailingBackend extends BackendFilter {
    private final Map<BlockOperation, BlockError> failures = new ConcurrentHashMap<>();

    public FailingBackend(BlockBackend behind) {
        super(behind);
    }

    /** From now on these operations fail like this. */
    public void fail(BlockOperation operation, BlockError failure) {
        failures.put(operation, failure);
    }

    /** From now on these operations go through again. */
    public void heal(BlockOperation operation) {
        failures.remove(operation);
    }

    @Override
    boolean passesNow(BlockOperation operation) {
        return !failures.containsKey(operation);
    }

    @Override
    void pass(BlockOperation operation, IoLane lane, Runnable action, IoCallback done) {
        BlockError failure = failures.get(operation);
        if (failure != null) {
            done.done(failure);
        } else {
            action.run();
        }
    }
}
