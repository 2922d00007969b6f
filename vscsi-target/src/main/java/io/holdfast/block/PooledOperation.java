package io.holdfast.block;

import io.holdfast.linux.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One operation on its way through the pool and back, used again and again by the lane that owns it. The lane's thread
 * fills it in, a pool thread runs it, the lane's thread takes the outcome: handed over by queues, never shared.
 */
final class PooledOperation {
    private static final Logger LOG = LoggerFactory.getLogger(PooledOperation.class);

    /** What to do. */
    enum Work {
        READ,
        WRITE,
        CALL
    }

    private final OffloadingLane lane;
    private Work work = Work.CALL;
    private @Nullable OpenFile file;
    private @Nullable IoQueue calls;
    private long offset;
    private @Nullable IoMemory memory;
    private int doneBytes;
    private IoLane.@Nullable BlockingCall call;
    private @Nullable IoCallback callback;
    private @Nullable BlockError failure;
    /** The next idle operation of the lane. */
    @Nullable
    PooledOperation nextIdle;

    PooledOperation(OffloadingLane lane) {
        this.lane = lane;
    }

    /** Prepares a transfer of which the first bytes may have been done already. */
    void transfer(Work kind, OpenFile of, long at, IoMemory bytes, int alreadyDone, IoCallback done) {
        work = kind;
        file = of;
        calls = of.blockingCalls();
        offset = at;
        memory = bytes;
        doneBytes = alreadyDone;
        callback = done;
    }

    void call(IoQueue of, IoLane.BlockingCall what, IoCallback done) {
        work = Work.CALL;
        calls = of;
        call = what;
        callback = done;
    }

    OffloadingLane lane() {
        return lane;
    }

    /** Whose threads it takes. Only while it waits or runs. */
    IoQueue calls() {
        return Objects.requireNonNull(calls);
    }

    /** The file of a transfer. Only while it waits or runs. */
    OpenFile file() {
        return Objects.requireNonNull(file);
    }

    /** On a thread of the pool. The lane has yet to be told: {@link OffloadingLane#announceFinished}. */
    void run() {
        try {
            perform();
        } catch (IOException e) {
            failure = call != null ? BlockErrors.of(e) : BlockErrors.of(describe(), e);
        } catch (RuntimeException | Error e) {
            // A fault of ours. The initiator must still hear of the end of its command, or its window leaks.
            LOG.error("{} failed in an unexpected way", describe(), e);
            failure = new BlockError(BlockError.Kind.MEDIUM, describe() + ": " + e);
        }
        lane.finished(this);
    }

    /** Instead of {@link #run()}: there is no thread for it. */
    void refused(BlockError why) {
        failure = why;
        lane.finished(this);
        lane.announceFinished();
    }

    private void perform() throws IOException {
        if (call != null) {
            call.run();
        } else if (file != null && memory != null) {
            transferRest(file, memory);
        }
    }

    private void transferRest(OpenFile of, IoMemory bytes) throws IOException {
        DirectIo direct = of.direct();
        if (direct != null) {
            if (work == Work.READ) {
                direct.read(of.descriptor(), offset, bytes);
            } else {
                direct.write(of.descriptor(), offset, bytes, 0);
            }
            return;
        }
        int length = bytes.length();
        while (doneBytes < length) {
            int fd = of.descriptor();
            long n = fd == OpenFile.NO_DESCRIPTOR ? byChannel(of, bytes) : byDescriptor(fd, bytes);
            long at = offset + doneBytes;
            doneBytes +=
                    work == Work.READ ? Transferred.read("preadv2", n, at) : Transferred.written("pwritev2", n, at);
        }
    }

    private long byDescriptor(int fd, IoMemory bytes) {
        long address = bytes.address() + doneBytes;
        int rest = bytes.length() - doneBytes;
        return work == Work.READ
                ? Linux.preadv2(fd, address, rest, offset + doneBytes, 0)
                : Linux.pwritev2(fd, address, rest, offset + doneBytes, 0);
    }

    private long byChannel(OpenFile of, IoMemory bytes) throws IOException {
        ByteBuffer rest = bytes.buffer().duplicate().position(doneBytes);
        return work == Work.READ
                ? of.channel().read(rest, offset + doneBytes)
                : of.channel().write(rest, offset + doneBytes);
    }

    private String describe() {
        if (file == null || memory == null) {
            return "blocking call";
        }
        return (work == Work.READ ? "read " : "write ") + memory.length() + " bytes at " + offset + " of "
                + file.name();
    }

    /** Empties the operation for its next use and tells the callback. */
    void complete() {
        IoCallback done = callback;
        BlockError outcome = failure;
        file = null;
        calls = null;
        memory = null;
        call = null;
        callback = null;
        failure = null;
        // Idle first: the callback may start the next operation, which then finds this one.
        lane.idle(this);
        if (done != null) {
            done.done(outcome);
        }
    }
}
