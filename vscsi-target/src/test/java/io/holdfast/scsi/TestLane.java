package io.holdfast.scsi;

import io.holdfast.block.IoCallback;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import io.holdfast.block.IoQueue;
import io.holdfast.block.OpenFile;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;

/** A lane without files: calls are made at once, and it only says when the callbacks of a {@link TestBackend} run. */
final class TestLane implements IoLane {
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private final boolean held;

    private TestLane(boolean held) {
        this.held = held;
    }

    /** Callbacks run before the operation returns, as a backend may have it that is done at once. */
    static TestLane direct() {
        return new TestLane(false);
    }

    /** Callbacks wait for {@link #runOne()}. */
    static TestLane held() {
        return new TestLane(true);
    }

    void complete(Runnable callback) {
        if (held) {
            waiting.add(callback);
        } else {
            callback.run();
        }
    }

    /** @return false if nothing is waiting */
    boolean runOne() {
        Runnable callback = waiting.poll();
        if (callback == null) {
            return false;
        }
        callback.run();
        return true;
    }

    @Override
    public void read(OpenFile file, long offset, IoMemory into, IoCallback done) {
        throw new UnsupportedOperationException("a lane without files");
    }

    @Override
    public void write(OpenFile file, long offset, IoMemory from, IoCallback done) {
        throw new UnsupportedOperationException("a lane without files");
    }

    @Override
    public void offload(IoQueue calls, BlockingCall call, IoCallback done) {
        try {
            call.run();
        } catch (IOException e) {
            throw new AssertionError("a call that has no disk behind it keeps its failure to itself", e);
        }
        complete(() -> done.done(null));
    }

    @Override
    public void execute(Runnable task) {
        complete(task);
    }
}
