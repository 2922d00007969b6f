package io.holdfast.testimages;

import java.util.List;

/**
 * What {@link DiskChecker} found on a guest's disk.
 *
 * @param acked records the guest was told are durable, those it has overwritten since included
 * @param checked slots whose newest acknowledged record was looked for
 * @param lost of these, slots without it: nothing there, an older record, or one that belongs elsewhere
 * @param torn slots whose bytes are no intact record, though nothing was being written there
 * @param tornInFlight slots that were being written when the guest ended, and are torn: no promise is broken by that
 * @param fileSystemComplaint what e2fsck said after the journal was replayed; empty if the file system is sound
 * @param examples the first few findings, for people
 */
public record DiskReport(
        long acked,
        int checked,
        int lost,
        int torn,
        int tornInFlight,
        String fileSystemComplaint,
        List<String> examples) {

    /** True if the disk holds all that it has to. */
    public boolean intact() {
        return lost == 0 && torn == 0 && fileSystemComplaint.isEmpty();
    }
}
