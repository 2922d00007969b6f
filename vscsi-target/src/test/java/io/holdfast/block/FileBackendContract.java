package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every file backend does on every lane: the contract of all backends, and that it lets go of what it took. */
public abstract class FileBackendContract extends BlockBackendContract {
    private Path dir;

    /** On which file system. */
    protected abstract Path parent() throws IOException;

    /** Whether the native descriptor is there from the start; without it everything goes through the channel. */
    protected boolean bound() {
        return true;
    }

    /** With what options. */
    protected FileOptions with(FileOptions options) {
        return options;
    }

    @Override
    protected boolean writesAtOnce() {
        try {
            String type = Files.getFileStore(dirOf()).type();
            return bound() && !with(FileOptions.READ_WRITE).direct() && type.equals("tmpfs");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @BeforeEach
    final void makeDirectory() throws IOException {
        dirOf();
    }

    private Path dirOf() throws IOException {
        if (dir == null) {
            dir = Files.createTempDirectory(parent(), "holdfast-block");
        }
        return dir;
    }

    @AfterEach
    final void removeDirectory() throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(dir);
    }

    @Override
    protected final BlockBackend create(long sizeBytes) throws Exception {
        return bind(FileBackend.open(dirOf().resolve("disk.img"), with(FileOptions.sized(sizeBytes))));
    }

    @Override
    protected final BlockBackend createReadOnly(long sizeBytes) throws Exception {
        Path path = dirOf().resolve("ro.img");
        FileBackend.open(path, FileOptions.sized(sizeBytes)).close();
        return bind(FileBackend.open(path, with(FileOptions.READ_ONLY.withSize(OptionalLong.of(sizeBytes)))));
    }

    private FileBackend bind(FileBackend opened) throws IOException {
        if (bound()) {
            opened.bindNative();
            opened.bindNative();
        }
        return opened;
    }

    @Test
    void shouldFreeTheSpaceOfWhatIsDiscarded() throws IOException {
        assertThat(backend.discards()).isTrue();
        write(0, DirectMemory.random(4 << 20, 1));
        rig.run(backend::flush);
        long before = allocatedBytes();
        assertThat(discard(0, 4 << 20)).isEmpty();
        assertThat(allocatedBytes()).isLessThanOrEqualTo(before - (4 << 20) + 65_536);
    }

    private long allocatedBytes() throws IOException {
        Process du = new ProcessBuilder("du", "-B1", dir.resolve("disk.img").toString()).start();
        String answer = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return Long.parseLong(answer.substring(0, answer.indexOf('\t')));
    }

    @Test
    void shouldLeaveNoDescriptorAndNoLockBehind() throws Exception {
        write(0, DirectMemory.random(4096, 1));
        rig.run(backend::flush);
        assertThat(descriptors()).isEqualTo(bound() ? 2 : 1);
        backend.close();
        backend.close();
        assertThat(descriptors()).isZero();
        backend = FileBackend.open(dir.resolve("disk.img"), FileOptions.READ_WRITE);
    }

    private long descriptors() throws IOException {
        Path path = dir.resolve("disk.img").toRealPath();
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            return links.filter(link -> pointsTo(link, path)).count();
        }
    }

    private static boolean pointsTo(Path link, Path path) {
        try {
            return Files.readSymbolicLink(link).equals(path);
        } catch (IOException e) {
            return false; // the descriptor of the listing itself, closed meanwhile
        }
    }

    @Test
    void shouldSayThatTheFileWasCutShort() throws IOException {
        try (java.io.RandomAccessFile file =
                new java.io.RandomAccessFile(dir.resolve("disk.img").toFile(), "rw")) {
            file.setLength(6000);
        }
        DirectMemory bytes = DirectMemory.dirty(4096);
        assertThat(rig.run((lane, done) -> backend.read(4096, bytes, lane, done)))
                .hasValueSatisfying(failure -> {
                    assertThat(failure.kind()).isEqualTo(BlockError.Kind.MEDIUM);
                    assertThat(failure.detail())
                            .contains("read 4096 bytes at 4096 of " + dir)
                            .contains("ends at 6000");
                });
    }
}
