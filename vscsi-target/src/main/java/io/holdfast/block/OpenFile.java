package io.holdfast.block;

import java.nio.channels.FileChannel;

/**
 * An open file or device, as the lanes use it. The channel is there from the start; the descriptor, which needs the
 * native library, comes a little later (binding it must not stand between exec and serving). Thread-safe.
 */
public final class OpenFile {
    /** What {@link #descriptor()} says before {@link #descriptor(int)} was called. */
    public static final int NO_DESCRIPTOR = -1;

    private final FileChannel channel;
    private volatile int descriptor = NO_DESCRIPTOR;

    public OpenFile(FileChannel channel) {
        this.channel = channel;
    }

    public FileChannel channel() {
        return channel;
    }

    /** A descriptor of the same file for native calls, or {@link #NO_DESCRIPTOR} while there is none. */
    public int descriptor() {
        return descriptor;
    }

    public void descriptor(int fd) {
        descriptor = fd;
    }
}
