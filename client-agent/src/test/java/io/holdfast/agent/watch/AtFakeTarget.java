package io.holdfast.agent.watch;

import io.holdfast.agent.portal.FakeTarget;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** Tests of what is asked of a unit: an event loop, and a target that answers as it is told. */
@Timeout(60)
abstract class AtFakeTarget {
    static final int READ = 0x88;
    static final int COMPARE_AND_WRITE = 0x89;
    static final int RESERVE_IN = 0x5e;
    static final int INQUIRY = 0x12;
    static final int LIMIT_MS = 20_000;
    static final FakeTarget.Answer BLOCK = FakeTarget.Answer.of(0, new byte[512]);
    static final FakeTarget.Answer CONFLICT = FakeTarget.Answer.of(0x18, new byte[0]);

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    final EventLoop loop = group.next();
    FakeTarget target;

    @BeforeEach
    void open() throws IOException {
        target = new FakeTarget();
        answer(READ, BLOCK);
    }

    @AfterEach
    void close() throws IOException {
        target.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    final void answer(int operation, FakeTarget.Answer... answers) {
        target.answers.put(operation, new ArrayDeque<>(List.of(answers)));
    }

    final void onLoop(Runnable task) throws Exception {
        loop.submit(task).get(LIMIT_MS, TimeUnit.MILLISECONDS);
    }
}
