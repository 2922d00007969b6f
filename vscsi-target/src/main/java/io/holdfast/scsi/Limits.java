package io.holdfast.scsi;

/** What one command may ask for. The Block Limits page (SBC-3 §6.6.4) announces each of these. */
public final class Limits {
    /** Data of one READ, WRITE, VERIFY or PRE-FETCH. Also the most Data-Out a transport has to gather. */
    public static final int MAX_TRANSFER_BYTES = 8 << 20;

    /** What is moved at once most cheaply: larger commands only hold up their neighbours. */
    public static final int OPTIMAL_TRANSFER_BYTES = 1 << 20;

    /** Blocks of one WRITE SAME, in bytes of medium. Done in pieces, so that only the initiator's patience bounds it. */
    public static final long MAX_WRITE_SAME_BYTES = 4L << 30;

    /** Blocks that one COMPARE AND WRITE compares: all that its CDB has room for. */
    public static final int MAX_COMPARE_BLOCKS = 255;

    /** Blocks of one UNMAP, over all its descriptors: a bound on how long one command keeps a pool thread. */
    public static final int MAX_UNMAP_BLOCKS = 1 << 20;

    /** Descriptors of one UNMAP. */
    public static final int MAX_UNMAP_DESCRIPTORS = 256;

    /** A parameter list that is parsed as a whole: PERSISTENT RESERVE OUT with its TransportIDs. */
    static final int MAX_PARAMETER_LIST_BYTES = 64 << 10;

    /** Logical units that one EXTENDED COPY names. */
    public static final int MAX_COPY_TARGETS = 16;

    /** Segments of one EXTENDED COPY, each at most 65535 blocks: a bound on how long one command takes. */
    public static final int MAX_COPY_SEGMENTS = 64;

    /** EXTENDED COPY commands that one logical unit carries out at a time; who comes when there are more waits. */
    public static final int MAX_COPIES = 16;

    /** Ended copies of one nexus whose outcome is kept for RECEIVE COPY STATUS. */
    public static final int MAX_COPY_RECORDS = 16;

    /** What EXTENDED COPY reads before it writes it. */
    static final int COPY_PIECE_BYTES = 1 << 20;

    /** Descriptors in one answer to GET LBA STATUS. */
    public static final int MAX_STATUS_DESCRIPTORS = 256;

    /** The memory in which a WRITE SAME repeats its block, so that it need not be written one by one. */
    static final int FILL_PATTERN_BYTES = 256 << 10;

    /** How much one call on the pool writes for a WRITE SAME. */
    static final int FILL_PIECE_BYTES = 4 << 20;

    /** How much one call on the pool discards. */
    static final long DISCARD_PIECE_BYTES = 256L << 20;

    private Limits() {}
}
