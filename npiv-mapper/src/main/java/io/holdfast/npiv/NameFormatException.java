package io.holdfast.npiv;

/** A text that should be a name and is none: says which text, where it goes wrong and what is allowed there. */
public final class NameFormatException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final String text;
    private final int position;

    /**
     * @param what what the text should be, as in "a port name"
     * @param position of the first character that is wrong, from 0; the length of the text if something is missing
     */
    NameFormatException(String what, String text, int position, String why) {
        super("'" + printable(text) + "' is not " + what + ": " + why + " (character " + (position + 1) + ")");
        this.text = text;
        this.position = position;
    }

    public String text() {
        return text;
    }

    /** Of the first wrong character, from 0. */
    public int position() {
        return position;
    }

    private static String printable(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), InitiatorName.MAX_BYTES); i++) {
            char c = text.charAt(i);
            out.append(c >= ' ' && c <= '~' ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        }
        return out.toString();
    }
}
