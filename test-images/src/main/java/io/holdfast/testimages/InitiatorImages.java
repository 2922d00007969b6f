package io.holdfast.testimages;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The guest that is a Linux initiator, as {@code test-images/build-initiator.sh} makes it. It has no disk of its own.
 *
 * @param kernel for QEMU's {@code -kernel}
 * @param initrd for QEMU's {@code -initrd}: the whole system, with the checks it runs
 * @param guestAgent QEMU's guest agent, for {@link GuestImages#with}
 */
public record InitiatorImages(Path kernel, Path initrd, Path guestAgent) {
    private static final Duration BUILD_LIMIT = Duration.ofMinutes(3);
    private static final String SCRIPT = "test-images/build-initiator.sh";

    /** Needs this much memory: the system lies in it. */
    public static final int MEMORY_MIB = 768;

    /** The virtio-serial port it speaks on. */
    public static final String PORT = "io.holdfast.initiator";

    /**
     * The guest of this checkout, built first if anything it is made of has changed (seconds; else 0.2 s).
     *
     * @throws IOException when it cannot be built; the message says what is missing
     */
    public static InitiatorImages build() throws IOException, InterruptedException {
        Path script = GuestImages.checkout().resolve(SCRIPT);
        Path output = script.resolveSibling("target").resolve("initiator");
        ToolRun run = ToolRun.of(BUILD_LIMIT, List.of(script.toString(), "--output", output.toString()));
        if (run.exitCode() != 0) {
            throw new IOException(script + " failed: " + run.output().strip());
        }
        return new InitiatorImages(
                output.resolve("vmlinuz"), output.resolve("initrd.cpio"), output.resolve("guest-agent.cpio"));
    }
}
