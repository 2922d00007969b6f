package io.holdfast.agent.portal;

import java.util.function.Consumer;

/** Finds out whether the server serves at this moment: the answer to a login, not to a connect. */
@FunctionalInterface
public interface ServerProof {
    /** @param answer called on the portal's loop, once, in bounded time */
    void prove(Consumer<Boolean> answer);

    /** The same of one of several servers. */
    default void prove(String server, Consumer<Boolean> answer) {
        prove(answer);
    }
}
