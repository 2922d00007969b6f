package io.holdfast.drills;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * One thread that looks at QEMU from outside, often while something is about to happen and seldom otherwise: it shares
 * the machine's few cores with the programs it watches.
 */
final class Sampler implements AutoCloseable {
    private static final long CLOSE_NS = 1_000_000;
    private static final long RELAXED_NS = 20_000_000;

    private final VcpuThreads vcpuThreads;
    private final VcpuActivity vcpuActivity;
    private final ConnectionWatch connections;
    private final Thread thread = new Thread(this::run, "sampler");
    private volatile long everyNs = RELAXED_NS;
    private volatile boolean closed;

    Sampler(VcpuThreads vcpuThreads, VcpuActivity vcpuActivity, ConnectionWatch connections) {
        this.vcpuThreads = vcpuThreads;
        this.vcpuActivity = vcpuActivity;
        this.connections = connections;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** From now on about every millisecond. */
    void lookClosely() {
        everyNs = CLOSE_NS;
        LockSupport.unpark(thread);
    }

    /** From now on some fifty times a second. */
    void relax() {
        everyNs = RELAXED_NS;
    }

    private void run() {
        try {
            while (!closed) {
                vcpuActivity.sample(System.nanoTime(), vcpuThreads.busyNs());
                connections.look();
                LockSupport.parkNanos(everyNs);
            }
        } catch (IOException e) {
            // QEMU has ended: its folder below /proc is gone, and there is nothing left to see.
            closed = true;
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
