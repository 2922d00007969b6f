package io.holdfast.agent.watch;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;

/** The device identification of a logical unit, VPD page 83h (SPC-4 §7.8.6). */
final class UnitNames {
    static final int PAGE = 0x83;

    private static final int HEADER_BYTES = 4;
    private static final int UUID_TYPE = 0x0a;
    private static final int UUID_BYTES = 18;

    private UnitNames() {}

    /** @return the UUID, if the text is one */
    static Optional<UUID> parse(String text) {
        try {
            return Optional.of(UUID.fromString(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** @return its UUID, if the page is whole as far as that and has one */
    static Optional<UUID> uuid(byte[] page) {
        if (page.length < HEADER_BYTES || (page[1] & 0xff) != PAGE) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(page);
        int end = Math.min(page.length, HEADER_BYTES + (in.getShort(2) & 0xffff));
        int at = HEADER_BYTES;
        while (at + HEADER_BYTES <= end) {
            // ASSOCIATION 0 and DESIGNATOR TYPE: the logical unit's own, not its port's.
            int kind = page[at + 1] & 0x3f;
            int length = page[at + 3] & 0xff;
            if (kind == UUID_TYPE && length == UUID_BYTES && at + HEADER_BYTES + UUID_BYTES <= end) {
                // Two bytes say that a UUID of RFC 9562 follows (SPC-5 §7.7.6.11).
                return Optional.of(new UUID(in.getLong(at + 6), in.getLong(at + 14)));
            }
            at += HEADER_BYTES + length;
        }
        return Optional.empty();
    }
}
