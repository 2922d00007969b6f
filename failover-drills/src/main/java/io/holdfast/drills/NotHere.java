package io.holdfast.drills;

/** This machine cannot play such a drill: it says what it lacks. Skipped aloud, and no failure. */
final class NotHere extends Exception {
    private static final long serialVersionUID = 1L;

    NotHere(String message) {
        super(message);
    }
}
