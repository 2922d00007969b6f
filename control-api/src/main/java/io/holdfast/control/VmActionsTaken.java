package io.holdfast.control;

/**
 * What an agent makes of {@link VmActions}.
 *
 * @param vm its name at its agent
 * @param revision which they were
 * @param refused which of them are not done, and why; empty if all are taken
 * @param overruled for which events somebody nearer to the VM goes first, and who; empty if for none
 */
public record VmActionsTaken(String vm, long revision, String refused, String overruled) {
    /** Characters of either text; what is longer is cut off. */
    public static final int MAX_TEXT = 512;

    public VmActionsTaken {
        refused = cut(refused);
        overruled = cut(overruled);
    }

    /** Fit for a line of a log: they come from whoever speaks to the control port. */
    private static String cut(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().limit(MAX_TEXT).forEach(c -> out.appendCodePoint(Character.isISOControl(c) ? '?' : c));
        return out.toString();
    }
}
