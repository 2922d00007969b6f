package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparseFilesTest {
    @TempDir
    Path folder;

    private Path original(int sizeBytes, int dataAt) throws IOException {
        byte[] bytes = new byte[sizeBytes];
        byte[] data = new byte[1000];
        new Random(1).nextBytes(data);
        System.arraycopy(data, 0, bytes, dataAt, data.length);
        return Files.write(folder.resolve("original"), bytes);
    }

    @Test
    void shouldCopyDataAndSizeAndLeaveHoles() throws Exception {
        Path original = original(10_000_001, 3_000_000);
        Path copy = folder.resolve("copy");
        SparseFiles.copy(original, 0, Files.size(original), copy);
        assertThat(Files.mismatch(original, copy)).isEqualTo(-1);
        ToolRun stat = ToolRun.of(Duration.ofSeconds(5), List.of("stat", "-c", "%b", copy.toString()));
        assertThat(Long.parseLong(stat.output().strip()) * 512).isLessThan(1_000_000);
    }

    @Test
    void shouldCopyAPartOfAFile() throws Exception {
        Path original = original(500_000, 200_000);
        Path copy = folder.resolve("copy");
        SparseFiles.copy(original, 123_456, 300_000, copy);
        assertThat(Files.readAllBytes(copy))
                .isEqualTo(Arrays.copyOfRange(Files.readAllBytes(original), 123_456, 423_456));
    }

    @Test
    void shouldNotOverwriteAFile() throws Exception {
        Path original = original(2000, 0);
        assertThatThrownBy(() -> SparseFiles.copy(original, 0, 2000, original))
                .isInstanceOf(FileAlreadyExistsException.class);
    }

    @Test
    void shouldSayThatTheFileIsTooShort() throws Exception {
        Path original = original(2000, 0);
        assertThatThrownBy(() -> SparseFiles.copy(original, 1000, 2000, folder.resolve("copy")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ends at byte 2000");
    }
}
