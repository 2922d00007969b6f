package io.holdfast.control;

/**
 * What an agent makes of {@link VmActions}.
 *
 * @param vm its name at its agent
 * @param revision which they were
 * @param refused which of them are not done, and why; empty if all are taken
 * @param overruled for which events the VM's own settings at its agent go first; empty if for none
 */
public record VmActionsTaken(String vm, long revision, String refused, String overruled) {
    /** Of either text; what is longer is cut off. */
    public static final int MAX_TEXT = 512;

    public VmActionsTaken {
        refused = cut(refused);
        overruled = cut(overruled);
    }

    private static String cut(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT - 1) + "…";
    }
}
