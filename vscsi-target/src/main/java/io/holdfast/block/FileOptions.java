package io.holdfast.block;

import java.util.OptionalLong;

/**
 * How a {@link FileBackend} is opened.
 *
 * @param readOnly no write is let through, and other readers are tolerated
 * @param sizeBytes the size: a missing file is created with it, an existing one must have it. Empty to take what is there
 * @param direct the host's page cache is left out (O_DIRECT)
 * @param preallocate a missing file is created with all its blocks, and they are never given back
 */
public record FileOptions(boolean readOnly, OptionalLong sizeBytes, boolean direct, boolean preallocate) {
    public static final FileOptions READ_WRITE = new FileOptions(false, OptionalLong.empty(), false, false);
    public static final FileOptions READ_ONLY = new FileOptions(true, OptionalLong.empty(), false, false);

    /** For writing, with this size. */
    public static FileOptions sized(long sizeBytes) {
        return READ_WRITE.withSize(OptionalLong.of(sizeBytes));
    }

    public FileOptions withSize(OptionalLong size) {
        return new FileOptions(readOnly, size, direct, preallocate);
    }

    public FileOptions withDirect() {
        return new FileOptions(readOnly, sizeBytes, true, preallocate);
    }

    public FileOptions withPreallocation() {
        return new FileOptions(readOnly, sizeBytes, direct, true);
    }
}
