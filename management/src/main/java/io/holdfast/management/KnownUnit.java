package io.holdfast.management;

import java.util.UUID;

/**
 * A logical unit as the state directory remembers it.
 *
 * @param path of its image
 * @param blockBytes the length of its blocks
 */
record KnownUnit(UUID uuid, String path, int blockBytes) {
    /** Unless something else is said. */
    static final int DEFAULT_BLOCK_BYTES = 512;
}
