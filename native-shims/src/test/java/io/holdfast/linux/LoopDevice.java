package io.holdfast.linux;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A block device over a file, for tests that run as root; others are skipped and say so. */
record LoopDevice(Path path) implements AutoCloseable {

    static LoopDevice over(Path file) throws Exception {
        assumeTrue(Files.isWritable(Path.of("/dev/loop-control")), "skipped: /dev/loop-control needs root");
        Process losetup = new ProcessBuilder("losetup", "--find", "--show", file.toString()).start();
        String device = new String(losetup.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        String reason = new String(losetup.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assumeTrue(losetup.waitFor() == 0, () -> "skipped: losetup says: " + reason);
        return new LoopDevice(Path.of(device));
    }

    @Override
    public void close() throws IOException {
        Process losetup = new ProcessBuilder("losetup", "--detach", path.toString()).start();
        int exit = losetup.onExit().orTimeout(10, TimeUnit.SECONDS).join().exitValue();
        if (exit != 0) {
            throw new IOException("losetup --detach " + path + ": exit " + exit);
        }
    }
}
