package io.holdfast.block;

import org.jspecify.annotations.Nullable;

/** Hears of the end of an operation, exactly once, on the thread of the {@link IoLane} it was started on. */
@FunctionalInterface
public interface IoCallback {

    /** @param failure null if everything that was asked has been done, otherwise why it was not */
    void done(@Nullable BlockError failure);
}
