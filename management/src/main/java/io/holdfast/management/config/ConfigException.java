package io.holdfast.management.config;

/** A setting that cannot be used. The message is one line for people: where it stands, its value, what is allowed. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    /** @param message may quote what somebody wrote: what would break the line, or steer a terminal, becomes {@code ?} */
    public ConfigException(String message) {
        super(oneLine(message));
    }

    private static String oneLine(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> out.appendCodePoint(Character.isISOControl(c) ? '?' : c));
        return out.toString();
    }
}
