package io.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileFailureTest {
    @TempDir
    private Path dir;

    @Test
    void shouldSayWhyADirectoryCannotBeMadeWhereNoneCan() {
        IOException failure =
                catchThrowableOfType(IOException.class, () -> Files.createDirectories(Path.of("/proc/holdfast")));

        assertThat(FileFailure.inWords(failure)).isEqualTo("no such file or directory");
    }

    @Test
    void shouldSayThatAFileIsInTheWay() throws IOException {
        Path file = Files.createFile(dir.resolve("file"));
        IOException failure = catchThrowableOfType(IOException.class, () -> Files.createDirectories(file));

        assertThat(FileFailure.inWords(failure)).isEqualTo("a file of that name is in the way");
    }

    @Test
    void shouldNameTheUserWhoMayNot() {
        assertThat(FileFailure.inWords(new AccessDeniedException("/x")))
                .isEqualTo("user " + System.getProperty("user.name") + " may not");
    }

    @Test
    void shouldRepeatWhatTheSystemSays() {
        assertThat(FileFailure.inWords(new FileSystemException("/x", null, "Not a directory")))
                .isEqualTo("Not a directory");
        assertThat(FileFailure.inWords(new FileSystemException("/x"))).isEqualTo("/x");
        assertThat(FileFailure.inWords(new IOException("something new"))).isEqualTo("something new");
    }
}
