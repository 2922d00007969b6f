package io.holdfast.linux;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Why something could not be done to a file, in words: the JDK's commonest exceptions carry nothing but the path. */
public final class FileFailure {
    private FileFailure() {}

    /** The reason alone; the caller names the file and what was to be done. */
    public static String inWords(IOException failure) {
        if (failure instanceof NoSuchFileException) {
            return Errno.ENOENT.text().toLowerCase(java.util.Locale.ROOT);
        }
        if (failure instanceof AccessDeniedException) {
            return "user " + System.getProperty("user.name") + " may not";
        }
        if (failure instanceof FileAlreadyExistsException) {
            return "a file of that name is in the way";
        }
        if (failure instanceof DirectoryNotEmptyException) {
            return "the directory is not empty";
        }
        String reason = failure instanceof FileSystemException system ? system.getReason() : failure.getMessage();
        return reason == null ? String.valueOf(failure.getMessage()) : reason;
    }
}
