package io.holdfast.block;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Small file systems and block devices for tests. They need root; without it a test is skipped, and says so. */
final class RootRig implements AutoCloseable {
    private final Deque<List<String>> undo = new ArrayDeque<>();

    /** Mounts a tmpfs of this size. */
    Path smallFileSystem(Path at, String size) throws Exception {
        Files.createDirectories(at);
        String said = run("mount", "-t", "tmpfs", "-o", "size=" + size, "none", at.toString());
        assumeTrue(said.isEmpty(), "skipped: mount says: " + said);
        undo.push(List.of("umount", at.toString()));
        return at;
    }

    /** Makes an ext4 in a file and mounts it. */
    Path diskFileSystem(Path file, Path at) throws Exception {
        Files.createDirectories(at);
        String made = run("mke2fs", "-q", "-t", "ext4", file.toString());
        assumeTrue(made.isEmpty(), "skipped: mke2fs says: " + made);
        String said = run("mount", "-o", "loop", file.toString(), at.toString());
        assumeTrue(said.isEmpty(), "skipped: mount says: " + said);
        undo.push(List.of("umount", at.toString()));
        return at;
    }

    /** Makes everybody who writes to a file system wait until what is returned is closed. */
    AutoCloseable freeze(Path mount) throws Exception {
        String said = run("fsfreeze", "--freeze", mount.toString());
        assumeTrue(said.isEmpty(), "skipped: fsfreeze says: " + said);
        return () -> {
            String thawed = run("fsfreeze", "--unfreeze", mount.toString());
            if (!thawed.isEmpty()) {
                throw new IOException(thawed);
            }
        };
    }

    /** A loop device over a file. */
    Path blockDevice(Path file) throws Exception {
        return loop("losetup", "--find", "--show", file.toString());
    }

    /** A loop device over a file, with a partition of 32 MiB that the kernel is told of. */
    Path diskWithPartition(Path file) throws Exception {
        Path disk = loop("losetup", "--find", "--show", file.toString());
        String said = run("addpart", disk.toString(), "1", "2048", "65536");
        assumeTrue(said.isEmpty(), "skipped: addpart says: " + said);
        undo.push(List.of("delpart", disk.toString(), "1"));
        return disk;
    }

    private Path loop(String... losetup) throws Exception {
        String said = run(losetup);
        assumeTrue(said.startsWith("/dev/loop"), "skipped: losetup says: " + said);
        undo.push(List.of("losetup", "--detach", said));
        return Path.of(said);
    }

    static String run(String... command) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return process.waitFor() == 0 || !said.isEmpty() ? said : command[0] + " failed";
    }

    @Override
    public void close() throws IOException {
        for (List<String> command : undo) {
            Process process = new ProcessBuilder(command).start();
            int exit = process.onExit().join().exitValue();
            if (exit != 0) {
                throw new IOException(String.join(" ", command) + ": exit " + exit);
            }
        }
    }
}
