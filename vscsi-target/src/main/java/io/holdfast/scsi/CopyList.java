package io.holdfast.scsi;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameter list of EXTENDED COPY (LID1) (SPC-4 §6.4), parsed and checked: an immutable value. Nothing is copied for a list
 * with a mistake in it. What is only wrong with a segment that is reached later (a logical unit that is not there, blocks
 * beyond its end) is told then, as COPY ABORTED.
 *
 * @param listId what RECEIVE COPY STATUS asks by, or {@link Sense#NONE}
 */
record CopyList(int listId, List<Target> targets, List<Segment> segments) {
    static final int HEADER_BYTES = 16;
    static final int TARGET_BYTES = 32;
    static final int SEGMENT_BYTES = 28;

    /** The descriptors that there are: block device to block device, and identification descriptor. */
    static final int BLOCK_TO_BLOCK = 0x02;

    static final int IDENTIFICATION = 0xe4;

    /** All descriptors that may come with one command. */
    static final int MAX_DESCRIPTOR_BYTES =
            Limits.MAX_COPY_TARGETS * TARGET_BYTES + Limits.MAX_COPY_SEGMENTS * SEGMENT_BYTES;

    private static final int USAGE_RESERVED = 1;
    private static final int USAGE_NONE = 3;

    private static final int NULL_TARGET = 0x20;
    private static final int DIRECT_ACCESS = 0x00;
    private static final int DESIGNATOR_AT = 8;
    private static final int MAX_DESIGNATOR_BYTES = 20;
    private static final int COUNT_IN_DESTINATION_BLOCKS = 0x02;

    /**
     * A logical unit, by one of the designators of its VPD page 83h (SPC-4 §6.4.5.3).
     *
     * @param absent nothing can be copied from or to it (NUL)
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Target(boolean absent, int deviceType, int association, int type, byte[] designator, int blockBytes) {
        boolean isDisk() {
            return deviceType == DIRECT_ACCESS;
        }

        boolean names(LogicalUnit unit) {
            return !absent && association == 0 && unit.identity().isNamed(type, designator);
        }
    }

    /**
     * @param source index of a target
     * @param destination index of a target
     * @param blocks how many of the source's, or of the destination's if {@code inDestinationBlocks}
     */
    record Segment(
            int source,
            int destination,
            int blocks,
            boolean inDestinationBlocks,
            long sourceLba,
            long destinationLba) {}

    /** A list, or what is wrong with it. */
    record Parsed(@Nullable CopyList list, Sense complaint) {}

    static Parsed parse(byte[] list) {
        int targetsBytes = Cdb.u16(list, 2);
        long segmentsBytes = Cdb.u32(list, 8);
        if (HEADER_BYTES + targetsBytes + segmentsBytes + Cdb.u32(list, 12) > list.length) {
            return refused(Sense.of(SenseCode.PARAMETER_LIST_LENGTH_ERROR));
        }
        if (Cdb.u32(list, 12) > 0) {
            return refused(Sense.of(SenseCode.INLINE_DATA_LENGTH_EXCEEDED));
        }
        int usage = list[1] >>> 3 & 3;
        if (usage == USAGE_RESERVED) {
            return refused(Sense.inParameters(1));
        }
        if (usage == USAGE_NONE && list[0] != 0) {
            return refused(Sense.inParameters(0));
        }
        List<Target> targets = new ArrayList<>();
        Sense complaint = takeTargets(list, targetsBytes, targets);
        List<Segment> segments = new ArrayList<>();
        if (complaint == null) {
            complaint = takeSegments(list, HEADER_BYTES + targetsBytes, (int) segmentsBytes, segments);
        }
        return complaint != null
                ? refused(complaint)
                : new Parsed(
                        new CopyList(usage == USAGE_NONE ? Sense.NONE : Cdb.u8(list, 0), targets, segments),
                        Sense.of(SenseCode.NO_SENSE));
    }

    private static Parsed refused(Sense complaint) {
        return new Parsed(null, complaint);
    }

    private static @Nullable Sense takeTargets(byte[] list, int bytes, List<Target> into) {
        if (bytes % TARGET_BYTES != 0) {
            return Sense.inParameters(2);
        }
        if (bytes / TARGET_BYTES > Limits.MAX_COPY_TARGETS) {
            return Sense.of(SenseCode.TOO_MANY_TARGET_DESCRIPTORS);
        }
        for (int at = HEADER_BYTES; at < HEADER_BYTES + bytes; at += TARGET_BYTES) {
            if (Cdb.u8(list, at) != IDENTIFICATION) {
                return Sense.of(SenseCode.UNSUPPORTED_TARGET_DESCRIPTOR_TYPE_CODE);
            }
            // LU ID TYPE: a logical unit number, of which nothing follows, is the only one that a designator goes with.
            if (list[at + 1] >>> 6 != 0) {
                return Sense.inParameters(at + 1);
            }
            int length = Cdb.u8(list, at + 7);
            if (length > MAX_DESIGNATOR_BYTES) {
                return Sense.inParameters(at + 7);
            }
            into.add(new Target(
                    (list[at + 1] & NULL_TARGET) != 0,
                    list[at + 1] & 0x1f,
                    list[at + 5] >>> 4 & 3,
                    list[at + 5] & 0x0f,
                    Arrays.copyOfRange(list, at + DESIGNATOR_AT, at + DESIGNATOR_AT + length),
                    (int) Cdb.u32(list, at + 28) & 0xff_ffff));
        }
        return null;
    }

    private static @Nullable Sense takeSegments(byte[] list, int start, int bytes, List<Segment> into) {
        if (bytes / SEGMENT_BYTES > Limits.MAX_COPY_SEGMENTS) {
            return Sense.of(SenseCode.TOO_MANY_SEGMENT_DESCRIPTORS);
        }
        int end = start + bytes;
        for (int at = start; at < end; at += SEGMENT_BYTES) {
            if (Cdb.u8(list, at) != BLOCK_TO_BLOCK) {
                return Sense.of(SenseCode.UNSUPPORTED_SEGMENT_DESCRIPTOR_TYPE_CODE);
            }
            if (at + SEGMENT_BYTES > end) {
                return Sense.inParameters(8);
            }
            if (Cdb.u16(list, at + 2) != SEGMENT_BYTES - 4) {
                return Sense.inParameters(at + 2);
            }
            into.add(new Segment(
                    Cdb.u16(list, at + 4),
                    Cdb.u16(list, at + 6),
                    Cdb.u16(list, at + 10),
                    (list[at + 1] & COUNT_IN_DESTINATION_BLOCKS) != 0,
                    Cdb.u64(list, at + 12),
                    Cdb.u64(list, at + 20)));
        }
        return null;
    }
}
