package io.holdfast.testimages;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A guest in QEMU on a plain image file: no server, no agent. What a drill does to such a guest is not its business. */
final class QemuGuest implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(10);

    private final Process process;
    private final GuestReport report = new GuestReport();
    private final GuestPort port;
    private final long startedNanos = System.nanoTime();

    /**
     * Starts a guest.
     *
     * @param boot what it boots, such as {@code -kernel …}
     * @param disk the image, attached as {@code device}
     * @param device {@code virtio-blk-pci} or {@code scsi-hd}
     */
    QemuGuest(Path folder, List<String> boot, Path disk, String device) throws IOException {
        Path socket = folder.resolve("guest-port");
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-M", "q35"));
        command.addAll(List.of("-accel", "tcg,thread=multi", "-m", "128"));
        command.addAll(List.of("-nodefaults", "-display", "none", "-no-reboot"));
        command.addAll(List.of("-serial", "file:" + folder.resolve("serial.log")));
        command.addAll(List.of(GuestPort.qemuArguments(socket)));
        command.addAll(List.of("-drive", "id=disk,if=none,format=raw,file=" + disk));
        command.addAll(List.of("-device", "virtio-scsi-pci", "-device", device + ",drive=disk"));
        command.addAll(boot);
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("qemu.log").toFile())
                .start();
        try {
            Awaitility.await("QEMU listens on " + socket)
                    .atMost(START_LIMIT)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> Files.exists(socket) || !process.isAlive());
            port = GuestPort.connect(socket, report);
        } catch (IOException | RuntimeException e) {
            kill();
            throw new IOException("QEMU: " + Files.readString(folder.resolve("qemu.log")), e);
        }
    }

    GuestReport report() {
        return report;
    }

    GuestPort port() {
        return port;
    }

    long startedNanos() {
        return startedNanos;
    }

    /** Waits until the machine has gone by itself. */
    int awaitEnd(Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("QEMU still runs after " + limit.toSeconds() + " s; " + report.describe());
        }
        return process.exitValue();
    }

    /** SIGKILL: for the guest a power failure. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() throws IOException {
        kill();
        port.close();
    }
}
