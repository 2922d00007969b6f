package io.holdfast.block;

/**
 * The thread a connection lives on, as a backend sees it: the ways to do file I/O without blocking that thread. One per
 * event loop. Every method but {@link #execute} is called on that thread and every callback runs on it, possibly before the
 * method that started the operation has returned.
 *
 * <p>Two implementations: file reads on the event loop's own io_uring, and the portable one ({@link PortableLane}).
 */
public interface IoLane {

    /** Positional read of {@code into.length()} bytes; short only at the end of the file, which is an error here. */
    void read(OpenFile file, long offset, IoMemory into, IoCallback done);

    /** Positional write of all of {@code from}. */
    void write(OpenFile file, long offset, IoMemory from, IoCallback done);

    /**
     * Writes here and now as much of the first {@code lengthBytes} bytes of {@code from} as can be written without waiting.
     *
     * @return how many; 0 also where that would have failed
     */
    default int writeNow(OpenFile file, long offset, IoMemory from, int lengthBytes) {
        return 0;
    }

    /** Runs a call that may block (fdatasync, fallocate, …) on one of the pool threads that the file has for itself. */
    default void offload(OpenFile file, BlockingCall call, IoCallback done) {
        offload(file.blockingCalls(), call, done);
    }

    /** The same for a call that is no file's, with threads of its own. */
    void offload(IoQueue calls, BlockingCall call, IoCallback done);

    /**
     * Runs a task on the lane's thread, later. From any thread: this is how one fdatasync answers the flushes of several
     * lanes.
     */
    void execute(Runnable task);

    /** A call that may block. */
    @FunctionalInterface
    interface BlockingCall {
        void run() throws java.io.IOException;
    }
}
