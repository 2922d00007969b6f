package io.holdfast.management.config;

/** A setting that cannot be used. The message is one line for people: where it stands, its value, what is allowed. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }
}
