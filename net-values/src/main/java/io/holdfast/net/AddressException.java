package io.holdfast.net;

/** A text that is no address, in one line for people: the text, and what is expected. */
public final class AddressException extends Exception {
    private static final long serialVersionUID = 1L;

    AddressException(String message) {
        super(message);
    }
}
