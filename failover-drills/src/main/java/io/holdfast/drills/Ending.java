package io.holdfast.drills;

import java.time.Duration;

/** The end of this process by a signal, as its own threads may learn of it. */
final class Ending {
    private static final Duration LOOK = Duration.ofMillis(10);

    private Ending() {}

    /**
     * Whether the process begins to end, now or soon. A terminal sends Ctrl-C to a program's children too, and their end may
     * be seen before the signal of one's own.
     */
    static boolean within(Duration limit) throws InterruptedException {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        while (!hasBegun()) {
            if (System.nanoTime() >= deadlineNs) {
                return false;
            }
            Thread.sleep(LOOK.toMillis());
        }
        return true;
    }

    /** The virtual machine tells nobody but those who come too late with a hook. */
    private static boolean hasBegun() {
        Thread hook = new Thread(() -> {}, "never-started");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
            Runtime.getRuntime().removeShutdownHook(hook);
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }
}
