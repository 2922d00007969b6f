package io.holdfast.agent.freeze;

/**
 * Whether the disks of a VM that was resumed do work again: looked at after a second, two, four… until a request has ended.
 * Only a VM that had requests waiting can be judged; one that asks for nothing is well. Owned by the machine's thread.
 */
final class IoAfterThaw {
    private static final long NEVER = Long.MAX_VALUE;

    private long sinceMs;
    private long lookAtMs = NEVER;
    private int looks;

    /** It has been resumed, with requests that were waiting or without. */
    void begin(boolean waiting, long nowMs) {
        sinceMs = nowMs;
        looks = 0;
        lookAtMs = waiting ? nowMs + FreezeMachine.IO_LOOK_MS : NEVER;
    }

    /** There is nothing to look at any more. */
    void end() {
        lookAtMs = NEVER;
    }

    long lookAtMs() {
        return lookAtMs;
    }

    /** When it was resumed. */
    long sinceMs() {
        return sinceMs;
    }

    /** It is being looked at; if nobody answers, it is again. */
    void looking(long nowMs) {
        looks++;
        lookAtMs = nowMs + ((long) FreezeMachine.IO_LOOK_MS << Math.min(looks, 5));
    }

    boolean underWay() {
        return lookAtMs != NEVER;
    }

    boolean overdue(long nowMs) {
        return underWay() && nowMs - sinceMs >= FreezeMachine.IO_LIMIT_MS;
    }
}
