package io.holdfast.iscsi.wire;

/** Segments are padded with zeroes to whole four-byte words (RFC 7143 §11.1). */
public final class Padding {
    private Padding() {}

    /** How many bytes of padding follow a segment of this length, 0..3. */
    public static int of(int lengthBytes) {
        return -lengthBytes & 3;
    }
}
