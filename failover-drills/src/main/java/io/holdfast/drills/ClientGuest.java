package io.holdfast.drills;

import io.holdfast.testimages.GuestImages;
import io.holdfast.testimages.GuestPort;
import io.holdfast.testimages.GuestReport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One of many guests, each with a port name of its own, whose root file system is on its own LU and who writes all the time. */
final class ClientGuest {
    /** Ten of them fit beside each other in 2 GiB. */
    private static final int MEMORY_MIB = 128;

    private static final int WRITERS = 4;
    /** They share two cores under TCG: so many writes that all get on, not as many as go. */
    private static final int PAUSE_MS = 50;

    private final ClientIdentity identity;
    private final Path image;
    private final GuestReport report = new GuestReport();
    private @Nullable Child qemu;
    private @Nullable GuestPort port;

    /** @param image the file its LU is on */
    ClientGuest(ClientIdentity identity, Path image) {
        this.identity = identity;
        this.image = image;
    }

    ClientIdentity identity() {
        return identity;
    }

    Path image() {
        return image;
    }

    GuestReport report() {
        return report;
    }

    /** Starts QEMU and connects to the guest's port. */
    void start(Workplace place, GuestImages images, int portal) throws DrillFailure, InterruptedException {
        Path socket = place.file(identity.client() + ".port");
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-name", identity.client()));
        command.addAll(List.of("-M", "q35", "-accel", "tcg,thread=multi", "-m", String.valueOf(MEMORY_MIB)));
        command.addAll(List.of("-nodefaults", "-nographic", "-no-reboot"));
        command.addAll(List.of(
                "-kernel",
                images.kernel().toString(),
                "-initrd",
                images.initrd().toString()));
        command.addAll(List.of(
                "-append",
                GuestImages.kernelCommandLine("/dev/vda") + " holdfast.writers=" + WRITERS + " holdfast.pause_ms="
                        + PAUSE_MS));
        command.addAll(List.of("-serial", "file:" + place.file(identity.client() + "-console.log")));
        command.addAll(List.of("-object", "secret,id=chap,file=" + identity.secret()));
        command.addAll(
                List.of("-blockdev", "node-name=iscsi0," + identity.blockNode(portal) + ",password-secret=chap"));
        command.addAll(List.of("-blockdev", "driver=raw,node-name=disk0,file=iscsi0,cache.direct=on"));
        command.addAll(List.of("-device", "virtio-blk-pci,drive=disk0,werror=stop,rerror=stop"));
        command.addAll(List.of(GuestPort.qemuArguments(socket)));
        Child child = place.start(identity.client(), command, place.file(identity.client() + ".log"), Duration.ZERO);
        qemu = child;
        Patience.await(
                "QEMU to open the port of " + identity.client(),
                Duration.ofSeconds(30),
                List.of(child),
                () -> connected(socket));
    }

    /** The socket is there a moment before QEMU listens at it. */
    private boolean connected(Path socket) {
        try {
            port = GuestPort.connect(socket, report);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private Child qemu() {
        if (qemu == null) {
            throw new IllegalStateException(identity.client() + " has not been started");
        }
        return qemu;
    }

    /** Waits until its writers have written so many durable records more. */
    void awaitRecords(int more, Duration limit) throws DrillFailure, InterruptedException {
        long wanted = report.ledger().acked() + more;
        Patience.await(
                identity.client() + " to write " + more + " records (" + report.describe() + ")",
                limit,
                List.of(qemu()),
                () -> report.ledger().acked() >= wanted);
    }

    /** Powers it off, and waits for the end of QEMU. */
    void powerOff(Duration limit) throws DrillFailure, InterruptedException {
        GuestPort open = port;
        if (open == null) {
            return;
        }
        try {
            open.askForSummary();
            report.await(
                    "the summary of " + identity.client(),
                    limit,
                    said -> said.summary().isPresent());
            open.powerOff();
        } catch (IOException | java.util.concurrent.TimeoutException e) {
            throw new DrillFailure(identity.client() + " cannot be powered off: " + e.getMessage(), e);
        }
        Patience.await("the end of " + identity.client(), limit, List.of(), () -> !qemu().alive());
    }
}
