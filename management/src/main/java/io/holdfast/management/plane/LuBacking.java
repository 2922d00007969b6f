package io.holdfast.management.plane;

import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What an LU of the fabric is made of.
 *
 * @param name the LU's name in the fabric
 * @param path of the image or block device, absolute
 * @param pool the pool it was made in; null if it lies elsewhere
 * @param uuid what initiators recognise the disk by
 * @param sizeBytes as last created or resized here
 * @param blockBytes size of a logical block, 512 or 4096
 * @param revision the state's version that last changed it
 */
public record LuBacking(
        String name,
        Path path,
        @Nullable String pool,
        UUID uuid,
        long sizeBytes,
        int blockBytes,
        boolean readOnly,
        boolean writeThrough,
        boolean direct,
        long revision) {

    LuBacking resized(long toBytes, long version) {
        return new LuBacking(name, path, pool, uuid, toBytes, blockBytes, readOnly, writeThrough, direct, version);
    }
}
