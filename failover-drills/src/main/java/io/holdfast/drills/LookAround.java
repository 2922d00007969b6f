package io.holdfast.drills;

import java.io.IOException;

/** The pause of {@code --keep}: says what is running and how to look at it, and waits for Enter. */
final class LookAround implements Drill.Pause {
    private final DrillPrinter printer;

    LookAround(DrillPrinter printer) {
        this.printer = printer;
    }

    @Override
    public void lookAround(Workplace place, Evidence evidence) throws InterruptedException {
        printer.timeline(Story.of(evidence), evidence.faultNs());
        printer.print("");
        printer.print("Everything is left running; the guest goes on writing.");
        for (Child child : place.children()) {
            if (child.alive()) {
                printer.print("  " + child.name() + ": pid " + child.pid() + ", output in " + child.log());
            }
        }
        printer.print("  guest's console:  tail -f " + place.file("console.log"));
        printer.print("  QEMU's monitor:   socat - UNIX-CONNECT:" + place.file("user.qmp")
                + "   (first say {\"execute\":\"qmp_capabilities\"})");
        printer.print("  connections:      ss -tnp");
        printer.print("Press Enter to end the drill with its check of the disk, or Ctrl-C to end everything at once.");
        awaitEnter();
    }

    private static void awaitEnter() throws InterruptedException {
        try {
            if (System.in.read() < 0) {
                // Nobody can press a key (no terminal): until a signal ends this process.
                new java.util.concurrent.CountDownLatch(1).await();
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot read from the terminal: " + e.getMessage(), e);
        }
    }
}
