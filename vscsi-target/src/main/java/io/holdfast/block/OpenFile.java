package io.holdfast.block;

import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/**
 * An open file or device, as the lanes use it. The channel is there from the start; the descriptor, which needs the
 * native library, comes a little later (binding it must not stand between exec and serving). Thread-safe.
 *
 * <p>What its file system turned out to be able to do is remembered here, once for all lanes, and so is what waits for the
 * file's share of the {@link IoPool}.
 */
public final class OpenFile {
    /** What {@link #descriptor()} says before {@link #descriptor(int)} was called. */
    public static final int NO_DESCRIPTOR = -1;

    private final FileChannel channel;
    private final String name;
    private final IoQueue blockingCalls = new IoQueue();
    private final CachedWrites cachedWrites = new CachedWrites();
    private volatile @Nullable DirectIo direct;
    private volatile int descriptor = NO_DESCRIPTOR;
    private volatile boolean inMemory;
    private volatile boolean nowaitReads = true;

    public OpenFile(FileChannel channel) {
        this(channel, "file");
    }

    /** @param name for people, in the details of errors: the path */
    public OpenFile(FileChannel channel, String name) {
        this.channel = channel;
        this.name = name;
    }

    public FileChannel channel() {
        return channel;
    }

    public String name() {
        return name;
    }

    /** A descriptor of the same file for native calls, or {@link #NO_DESCRIPTOR} while there is none. */
    public int descriptor() {
        return descriptor;
    }

    public void descriptor(int fd) {
        descriptor = fd;
    }

    /** True if the file lives in memory (tmpfs, ramfs), so that reading and writing never waits for a disk. */
    public boolean inMemory() {
        return inMemory;
    }

    /** To be called before {@link #descriptor(int)}. */
    public void inMemory(boolean memory) {
        inMemory = memory;
    }

    /** False once the file system has refused RWF_NOWAIT on a read. */
    public boolean nowaitReads() {
        return nowaitReads;
    }

    public void refusedNowaitReads() {
        nowaitReads = false;
    }

    /** How it is read and written past the page cache; null if it is not. */
    @Nullable
    DirectIo direct() {
        return direct;
    }

    /** To be called before {@link #descriptor(int)}. */
    void direct(DirectIo way) {
        direct = way;
    }

    /** False if a transfer must go by the pool, where it is brought into the form that the device asks for. */
    public boolean takesAsItIs(long offset, IoMemory memory) {
        DirectIo way = direct;
        return way == null || way.fits(offset, memory);
    }

    IoQueue blockingCalls() {
        return blockingCalls;
    }

    CachedWrites cachedWrites() {
        return cachedWrites;
    }
}
