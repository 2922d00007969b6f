package io.holdfast.iscsi;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks for more I/O for a moment before the event loop goes to sleep, if that moment has paid lately. An initiator at depth 1
 * sends its next command some microseconds after an answer: falling asleep and being woken takes longer than that, on both
 * sides of the socket, and costs more CPU time than the wait.
 *
 * <p>A moment that passes in vain is CPU time lost. So the first vain one ends the looking; it is tried again when I/O comes in
 * quick succession, after one such chance, then two, four, eight. What is idle, or slow, sleeps as if this class were not
 * there. While it looks it yields, so that whoever else has something to do on the core does it.
 */
final class SpinningIoHandler implements IoHandler {
    /** I/O that came after less than this might have come within the spin, had nobody slept. */
    private static final long CHANCE_NS = 200_000;

    /** Chances that are let pass after a row of vain tries. */
    private static final int MAX_SKIPPED = 64;

    private final IoHandler handler;
    private final long spinNs;
    private final LongSupplier clock;
    private final Patience patience = new Patience();

    private boolean spinning;
    private boolean slept;
    private int toSkip;
    private int skipNext = 1;
    private long workedNs;

    /** @param clock {@link System#nanoTime} */
    SpinningIoHandler(IoHandler handler, long spinNs, LongSupplier clock) {
        this.handler = handler;
        this.spinNs = spinNs;
        this.clock = clock;
        this.workedNs = clock.getAsLong();
    }

    /** @param spinMicros how long to look, 0 for not at all */
    static IoHandlerFactory around(IoHandlerFactory factory, int spinMicros) {
        return spinMicros == 0
                ? factory
                : executor -> new SpinningIoHandler(factory.newHandler(executor), spinMicros * 1000L, System::nanoTime);
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it: it is a courtesy to whoever waits for the core.
    public int run(IoHandlerContext context) {
        patience.of = context;
        int handled = handler.run(patience);
        if (handled > 0) {
            long now = clock.getAsLong();
            learn(now - workedNs);
            workedNs = now;
            slept = false;
        } else if (spinning && !slept) {
            Thread.yield();
        }
        return handled;
    }

    private void learn(long pauseNs) {
        if (!slept) {
            skipNext = 1;
        } else if (spinning) {
            spinning = false;
            toSkip = skipNext;
            skipNext = Math.min(MAX_SKIPPED, skipNext * 2);
        } else if (pauseNs < CHANCE_NS && --toSkip <= 0) {
            spinning = true;
        }
    }

    /** Lets the handler sleep only when the moment is over. */
    private final class Patience implements IoHandlerContext {
        private @Nullable IoHandlerContext of;

        private IoHandlerContext context() {
            IoHandlerContext context = of;
            if (context == null) {
                throw new IllegalStateException("asked before it ran");
            }
            return context;
        }

        @Override
        public boolean canBlock() {
            if (!context().canBlock() || spinning && clock.getAsLong() - workedNs < spinNs) {
                return false;
            }
            slept = true;
            return true;
        }

        @Override
        public long delayNanos(long currentTimeNanos) {
            return context().delayNanos(currentTimeNanos);
        }

        @Override
        public long deadlineNanos() {
            return context().deadlineNanos();
        }

        @Override
        public void reportActiveIoTime(long activeNanos) {
            context().reportActiveIoTime(activeNanos);
        }

        @Override
        public boolean shouldReportActiveIoTime() {
            return context().shouldReportActiveIoTime();
        }
    }

    @Override
    public void initialize() {
        handler.initialize();
    }

    @Override
    public void prepareToDestroy() {
        handler.prepareToDestroy();
    }

    @Override
    public void destroy() {
        handler.destroy();
    }

    @Override
    public IoRegistration register(IoHandle handle) throws Exception {
        return handler.register(handle);
    }

    @Override
    public void wakeup() {
        handler.wakeup();
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> handleType) {
        return handler.isCompatible(handleType);
    }
}
