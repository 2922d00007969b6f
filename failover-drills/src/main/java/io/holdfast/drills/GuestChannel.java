package io.holdfast.drills;

import io.holdfast.testimages.GuestLine;
import io.holdfast.testimages.GuestReport;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The host's end of the guest's port: everything the guest says goes to its report and to its clock. */
final class GuestChannel implements AutoCloseable {
    private final UnixLines lines;
    private final GuestReport report = new GuestReport();
    private final GuestClock clock = new GuestClock();
    private final Thread reader = new Thread(this::read, "guest-port");

    private GuestChannel(UnixLines lines) {
        this.lines = lines;
        reader.setDaemon(true);
        reader.start();
    }

    static GuestChannel connect(Path socket) throws IOException {
        return new GuestChannel(UnixLines.connect(socket));
    }

    private void read() {
        try {
            for (@Nullable String line = lines.read(); line != null; line = lines.read()) {
                long atNs = System.nanoTime();
                report.accept(line, atNs);
                clock.take(GuestLine.parse(line), atNs);
            }
        } catch (IOException e) {
            // QEMU is gone, or the channel was closed here: the guest says no more, and the drill sees either itself.
        }
    }

    GuestReport report() {
        return report;
    }

    GuestClock clock() {
        return clock;
    }

    void say(String command) throws DrillFailure {
        try {
            lines.write(command);
        } catch (IOException e) {
            throw new DrillFailure("the guest's port takes no commands: " + e.getMessage(), e);
        }
    }

    /** Waits for the last line of a guest whose QEMU has ended. */
    void drain() throws InterruptedException {
        reader.join(1_000);
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
