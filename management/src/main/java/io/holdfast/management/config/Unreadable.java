package io.holdfast.management.config;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Why a file could not be read, in words: the JDK says no more than the file's name, by the name of a class. */
public final class Unreadable {
    private Unreadable() {}

    /** What follows "cannot be read: ". */
    public static String inWords(Exception failure) {
        if (failure instanceof NoSuchFileException) {
            return "no such file";
        }
        if (failure instanceof AccessDeniedException) {
            return "user " + System.getProperty("user.name") + " may not";
        }
        String reason = failure instanceof FileSystemException system
                ? system.getReason()
                : failure instanceof IOException ? failure.getMessage() : null;
        return reason == null || reason.isBlank() ? failure.getClass().getSimpleName() : reason;
    }
}
