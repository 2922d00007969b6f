package io.holdfast.management;

/** Failures of a start that Java reports by other things than an {@link java.io.IOException}, in one line for people. */
final class StartFailure {
    private StartFailure() {}

    /**
     * A native library that cannot be loaded is most often one that was unpacked where nothing may be executed; it is
     * thrown as a {@link LinkageError}, by whoever happens to need the library first.
     */
    static String inWords(Throwable failure) {
        String message = firstLine(failure);
        if (failure instanceof LinkageError) {
            return "a native library cannot be loaded (" + message + "); if "
                    + System.getProperty("java.io.tmpdir")
                    + " is mounted noexec, name another directory: HOLDFAST_JAVA_OPTS=-Djava.io.tmpdir=DIR";
        }
        return "cannot start: " + message;
    }

    private static String firstLine(Throwable failure) {
        String text = failure.getMessage();
        if (text == null || text.isBlank()) {
            return failure.getClass().getSimpleName();
        }
        return text.lines().findFirst().orElse(text);
    }
}
