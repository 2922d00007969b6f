package io.holdfast.agent.freeze;

/** Where a VM stands; the diagram is at {@link FreezeMachine}. */
public enum FreezeState {
    /** No QEMU answers on the monitor, or none has answered yet. */
    ABSENT,
    /** The guest runs, as far as we are concerned. */
    RUNNING,
    /** {@code stop} has been sent; QEMU has not said that it stopped. */
    FREEZING,
    /** The virtual CPUs stand still because of us. */
    FROZEN,
    /** The server serves again; QEMU is led back to it, and nothing is resumed before it has arrived. */
    PROVING,
    /** {@code cont} has been sent; QEMU has not said that the guest runs. */
    THAWING,
    /** Somebody else paused it. We never resume it. */
    HELD_BY_OTHER
}
