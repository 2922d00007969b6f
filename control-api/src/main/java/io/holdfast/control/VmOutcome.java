package io.holdfast.control;

/**
 * What became of one VM when a server announced that it goes.
 *
 * @param vm the VM's name at its agent
 * @param detail for people; may be empty
 */
public record VmOutcome(String vm, State state, String detail) {

    /** What an agent can say of a VM. */
    public enum State {
        /** Its virtual CPUs are stopped and no request of it is in flight. */
        FROZEN,
        /** Somebody else had paused it before. */
        ALREADY_PAUSED,
        /** There is no such process now. */
        ABSENT,
        /** It could not be stopped. */
        FAILED
    }
}
