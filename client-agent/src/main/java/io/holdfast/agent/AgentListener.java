package io.holdfast.agent;

import io.holdfast.agent.freeze.FreezeState;

/** Hears what an agent does, on the agent's loop: implementations return at once. */
public interface AgentListener {
    /** Hears nothing. */
    AgentListener NONE = new AgentListener() {};

    /**
     * A VM is in another state now.
     *
     * @param heldMs how long it was in the former one
     */
    default void vmChanged(String vm, FreezeState from, FreezeState to, String why, long heldMs) {}

    /** Something about a VM that somebody should know. */
    default void vmWarning(String vm, String what) {}

    default void serverServes(String server, long epoch) {}

    default void serverLost(String why) {}

    /** The freeze path has been rehearsed: the first freeze is as quick as any other from now on. */
    default void rehearsed(long tookMs) {}
}
