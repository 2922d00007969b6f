package io.holdfast.iscsi.wire;

/** What an initiator session identifier says of its initiator (RFC 7143 §11.12.5). */
public final class Isid {
    private static final int TYPE_SHIFT = 46;
    private static final int TYPE_RANDOM = 2;

    private Isid() {}

    /**
     * True for the "random" format. libiscsi, QEMU's initiator, makes these; the Linux kernel's initiator and others carry
     * a company's OUI instead. It tells which initiators take an Asynchronous Message as leave to log in again at once.
     */
    public static boolean isRandom(long isid) {
        return (isid >>> TYPE_SHIFT & 3) == TYPE_RANDOM;
    }

    /** As the RFC prints it in names: {@code 0x80123456000a}. */
    public static String print(long isid) {
        return String.format("0x%012x", isid);
    }
}
