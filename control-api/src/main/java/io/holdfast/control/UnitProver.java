package io.holdfast.control;

import java.util.Set;
import java.util.function.Consumer;

/** Finds out, at the server, whether a unit is the one that an agent knows, and reads and writes. */
@FunctionalInterface
public interface UnitProver {
    /** Proves nothing. */
    UnitProver NONE = (unit, initiators, answer) -> {
        answer.accept("this server proves no units");
        return () -> {};
    };

    /**
     * Called on an event loop: begins, or has it wait for its turn, and returns. Whoever asks bounds how many of his wait, and for how
     * long.
     *
     * @param unit as the agent knows it; whatever a peer may have sent
     * @param initiators names of the initiators it is proved for, whose reservations are no obstacle
     * @param answer called once, on any thread, when nothing of it is under way any more: with why a VM must not be resumed on the
     *     unit, or empty
     * @return gives it up: nobody waits for its answer any more, and it does not begin if it has not
     */
    Runnable prove(ExportedUnit unit, Set<String> initiators, Consumer<String> answer);
}
