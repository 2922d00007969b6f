package io.holdfast.agent.freeze;

/**
 * Where a VM stands, by {@link FreezeMachine}.
 *
 * <pre>
 *                  ┌──────────────────────── monitor gone (from anywhere) ──► ABSENT
 *                  │                                                            │ monitor there
 *                  │        paused by somebody else   ┌─────────────────┐       │ (paused by us before: FROZEN)
 *                  │     ┌──────────────────────────► │  HELD_BY_OTHER  │ ◄─────┤
 *                  │     │ ◄────────────────────────  └─────────────────┘       │
 *                  │     │   resumed by them                                    │
 *              ┌───┴─────┴─┐  server lost, or       ┌──────────┐  STOP, reply   ┌────────┐
 *          ┌─► │  RUNNING  │ ─announces its stop──► │ FREEZING │ ─────────────► │ FROZEN │ ◄─┐
 *          │   └─────┬─────┘  (stop)                └──────────┘                └─┬────┬─┘   │ lost again, or
 *          │         ▲  └────── paused on our stand-in's error ──────────────────►│    │     │ other disks
 *   status │         └───────────────── resumed by hand ──────────────────────────┘    │     │
 *   running│   ┌───────────┐  all sessions there,   ┌───────────┐   server serves,     │     │
 *          └── │  THAWING  │ ◄─paused or io-error── │  PROVING  │ ◄─same disks─────────┘     │
 *              └─────┬─────┘  (one cont)            └─────┬─────┘   (portal leads back)      │
 *                    │                                    └──────────────────────────────────┤
 *                    └─ paused again, or cont failed: back off ──────────────────────────────┘
 * </pre>
 */
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
    HELD_BY_OTHER;

    /** The guest stands still, or is about to, because of us. */
    public boolean holds() {
        return this == FREEZING || this == FROZEN || this == PROVING || this == THAWING;
    }
}
