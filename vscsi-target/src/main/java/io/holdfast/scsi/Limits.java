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
