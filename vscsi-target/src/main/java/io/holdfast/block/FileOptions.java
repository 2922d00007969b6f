package io.holdfast.block;

import java.util.OptionalLong;

/**
 * How a {@link FileBackend} is opened.
 *
 * @param readOnly no write is let through, and other readers are tolerated
 * @param sizeBytes the size: a missing file is created with it (sparse), an existing one must have it. Empty to take what
 *     is there
 */
public record FileOptions(boolean readOnly, OptionalLong sizeBytes) {
    public static final FileOptions READ_WRITE = new FileOptions(false, OptionalLong.empty());
    public static final FileOptions READ_ONLY = new FileOptions(true, OptionalLong.empty());

    /** For writing, with this size. */
    public static FileOptions sized(long sizeBytes) {
        return new FileOptions(false, OptionalLong.of(sizeBytes));
    }
}
