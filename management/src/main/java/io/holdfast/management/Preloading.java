package io.holdfast.management;

import io.holdfast.scsi.ScsiCommand;

/**
 * Makes tables that a server needs only when guests are there already, while it starts: on a thread of its own, because a
 * start keeps little more than one processor busy, and guests are rarely on a machine that has but one.
 */
final class Preloading implements Runnable {
    private Preloading() {}

    /** Returns at once. Whoever needs a table that is not finished waits for it; one that cannot be made fails there. */
    static void begin() {
        Thread thread = new Thread(new Preloading(), "preloading");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void run() {
        ScsiCommand.prepare();
        LogLine.prepare();
    }
}
