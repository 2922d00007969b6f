package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.FileBackend;
import io.holdfast.block.FileOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CreatedImageTest {
    @TempDir
    private Path dir;

    @Test
    void shouldKeepAnImageThatWasWrittenTo() throws Exception {
        Path image = dir.resolve("a.img");
        try (FileBackend backend = FileBackend.open(image, FileOptions.sized(1 << 20))) {
            // Zeroes too: whoever wrote them relies on them.
            Files.write(image, new byte[512], StandardOpenOption.WRITE);

            assertThat(CreatedImage.remove(image, backend)).isFalse();
        }
        assertThat(image).hasSize(1 << 20);
    }

    @Test
    void shouldKeepAnImageThatWasThereBefore() throws Exception {
        Path image = dir.resolve("a.img");
        FileBackend.open(image, FileOptions.sized(1 << 20)).close();
        try (FileBackend backend = FileBackend.open(image, FileOptions.sized(1 << 20))) {
            assertThat(CreatedImage.remove(image, backend)).isFalse();
        }
        assertThat(image).exists();
    }
}
