package io.holdfast.scsi;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * What one SANITIZE asks for (SBC-3 §5.24), once it has been checked.
 *
 * @param passes how often an overwrite goes over the medium, 1..31; 1 for a block erase
 * @param invert each pass writes the complement of the one before, the last one the pattern itself
 * @param unrestrictedExit AUSE: if it fails, EXIT FAILURE MODE makes the logical unit usable again
 * @param pattern what each logical block begins with, again and again to its end; a block erase has one zero byte
 */
@SuppressWarnings("ArrayRecordComponent") // equals and hashCode look into it
public record SanitizeRequest(Method method, int passes, boolean invert, boolean unrestrictedExit, byte[] pattern) {
    /** How the medium is sanitized. There are no keys that could be changed: nothing is encrypted here. */
    public enum Method {
        /** With a pattern of the initiator's. */
        OVERWRITE,
        /** With zeroes where there is data, and then given back to the host. */
        BLOCK_ERASE
    }

    static SanitizeRequest blockErase(boolean unrestrictedExit) {
        return new SanitizeRequest(Method.BLOCK_ERASE, 1, false, unrestrictedExit, new byte[1]);
    }

    /**
     * As many whole logical blocks of a pass's pattern as fit into {@code bytes}.
     *
     * @param pass from 0 on. Of an even number of inverted passes the first writes the complement (SBC-4, OVERWRITE service
     *     action): what is left on the medium is the pattern in any case
     */
    byte[] blocks(int blockBytes, int bytes, int pass) {
        boolean inverted = invert && (passes - pass) % 2 == 0;
        byte[] block = new byte[blockBytes];
        for (int i = 0; i < blockBytes; i++) {
            int value = pattern[i % pattern.length];
            block[i] = (byte) (inverted ? ~value : value);
        }
        byte[] blocks = new byte[bytes / blockBytes * blockBytes];
        for (int at = 0; at < blocks.length; at += blockBytes) {
            System.arraycopy(block, 0, blocks, at, blockBytes);
        }
        return blocks;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SanitizeRequest that
                && method == that.method
                && passes == that.passes
                && invert == that.invert
                && unrestrictedExit == that.unrestrictedExit
                && Arrays.equals(pattern, that.pattern);
    }

    @Override
    public int hashCode() {
        return 31 * (method.hashCode() + passes) + Arrays.hashCode(pattern);
    }

    @Override
    public String toString() {
        return method + (passes > 1 ? " in " + passes + " passes" : "") + ", pattern "
                + HexFormat.of().formatHex(pattern, 0, Math.min(8, pattern.length));
    }
}
