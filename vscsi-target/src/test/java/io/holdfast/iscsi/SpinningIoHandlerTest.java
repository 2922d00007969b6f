package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoRegistration;
import org.junit.jupiter.api.Test;

/** Time stands still here but for {@link #pass}: what sleeps and what looks is a matter of microseconds. */
class SpinningIoHandlerTest {
    private static final int SPIN_US = 50;

    private final Events events = new Events();
    private long nowNs;
    private final SpinningIoHandler handler = new SpinningIoHandler(events, SPIN_US * 1000L, () -> nowNs);

    @Test
    void shouldSleepAtOnceAsLongAsNothingCameInQuickSuccession() {
        ioAfter(1000);

        assertThat(sleeps()).isTrue();
    }

    @Test
    void shouldLookForMoreOnceIoCameInQuickSuccession() {
        quickSuccession();

        pass(SPIN_US - 1);
        assertThat(sleeps()).isFalse();
        pass(1);
        assertThat(sleeps()).isTrue();
    }

    @Test
    void shouldGoOnLookingAsLongAsItPays() {
        quickSuccession();

        for (int i = 0; i < 100; i++) {
            pass(20);
            assertThat(sleeps()).isFalse();
            io();
        }
    }

    @Test
    void shouldSleepAtOnceAgainAfterItLookedInVain() {
        quickSuccession();
        pass(SPIN_US);
        assertThat(sleeps()).isTrue();
        ioAfter(10_000);

        assertThat(sleeps()).isTrue();
    }

    @Test
    void shouldLookLessAndLessOftenWhereItIsAlwaysInVain() {
        int looked = 0;
        for (int i = 0; i < 1000; i++) {
            if (!sleeps()) {
                looked++;
                pass(SPIN_US);
                assertThat(sleeps()).isTrue();
            }
            // Quick enough to be worth a try, too slow for the try to succeed.
            ioAfter(SPIN_US * 2);
        }

        assertThat(looked).isBetween(5, 30);
    }

    @Test
    void shouldNotHoldUpTasksOfTheLoop() {
        quickSuccession();
        events.context.tasks = true;

        assertThat(sleeps()).isFalse();
        pass(SPIN_US);
        assertThat(sleeps()).isFalse();
    }

    @Test
    void shouldLeaveTheHandlerAsItIsWhenItIsNotToLookAtAll() {
        assertThat(SpinningIoHandler.around(executor -> events, 0).newHandler(null))
                .isSameAs(events);
    }

    private void quickSuccession() {
        for (int i = 0; i < 3; i++) {
            sleeps();
            ioAfter(30);
        }
    }

    private void pass(int micros) {
        nowNs += micros * 1000L;
    }

    private void ioAfter(int micros) {
        pass(micros);
        io();
    }

    private void io() {
        events.ready = 1;
        handler.run(events.context);
    }

    /** @return whether the handler may block if it is run now and nothing is ready */
    private boolean sleeps() {
        events.ready = 0;
        handler.run(events.context);
        return events.mayBlock;
    }

    /** An I/O handler whose readiness the test decides. */
    private static final class Events implements IoHandler {
        private final Tasks context = new Tasks();
        private int ready;
        private boolean mayBlock;

        @Override
        public int run(IoHandlerContext context) {
            if (ready == 0) {
                mayBlock = context.canBlock();
            }
            return ready;
        }

        @Override
        public IoRegistration register(IoHandle handle) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void wakeup() {}

        @Override
        public boolean isCompatible(Class<? extends IoHandle> handleType) {
            return true;
        }
    }

    private static final class Tasks implements IoHandlerContext {
        private boolean tasks;

        @Override
        public boolean canBlock() {
            return !tasks;
        }

        @Override
        public long delayNanos(long currentTimeNanos) {
            return 0;
        }

        @Override
        public long deadlineNanos() {
            return -1;
        }
    }
}
