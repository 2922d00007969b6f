package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.agent.portal.FakeTarget;
import io.holdfast.agent.portal.FakeTarget.Answer;
import io.holdfast.control.ExportedUnit;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a VM hears of its units, and that it hears it once. */
@Timeout(60)
class UnitProofsTest {
    private static final int READ = 0x88;
    private static final int COMPARE_AND_WRITE = 0x89;
    private static final int RESERVE_IN = 0x5e;
    private static final int INQUIRY = 0x12;
    private static final int LIMIT_MS = 20_000;
    private static final UUID OWN = UUID.randomUUID();
    private static final ExportedUnit DISK = new ExportedUnit("iqn.t:disk", 0, OWN.toString(), 1, false);

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoop loop = group.next();
    private final UnitProofs proofs = new UnitProofs(loop, ProbeIdentity.ofThisHost(), LIMIT_MS);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private FakeTarget target;

    @BeforeEach
    void start() throws IOException {
        target = new FakeTarget();
        target.unit = Optional.of(OWN);
    }

    @AfterEach
    void stop() throws IOException {
        target.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void shouldTellWhoeverWaitsThatTheServerIsLostAndNothingAfterThat() throws Exception {
        target.answersCommands = false;
        prove();
        await().until(() -> target.commands.get() == 1);

        onLoop(() -> {
            proofs.forget();
            heard.add("it is lost");
        });

        await().until(() -> heard.size() == 2);
        assertThat(heard).containsExactly("it is lost", "the server was lost meanwhile");
        target.die();
        onLoop(() -> {});
        assertThat(heard).hasSize(2);
    }

    @Test
    void shouldTellThatAlsoOfWhatHadBegunEarly() throws Exception {
        target.answersCommands = false;
        onLoop(() -> proofs.begin(target.address(), List.of(DISK)));
        await().until(() -> target.commands.get() == 1);
        prove();

        onLoop(proofs::forget);

        await().until(() -> heard.contains("the server was lost meanwhile"));
        await().until(() -> target.connections() == 0);
        assertThat(target.accepted).as("the dead server is not asked anew").hasValue(1);
        assertThat(heard).hasSize(1);
    }

    @Test
    void shouldAskWhoHoldsAReservationThatWasInTheWayOfAnEarlyProof() throws Exception {
        Answer conflict = Answer.of(0x18, new byte[0]);
        target.answers.put(READ, new ArrayDeque<>(List.of(conflict, conflict)));
        target.answers.put(RESERVE_IN, new ArrayDeque<>(List.of(Answer.of(2, new byte[0]), Answer.of(2, new byte[0]))));
        onLoop(() -> proofs.begin(target.address(), List.of(DISK)));

        prove();

        await().until(() -> heard.size() == 1);
        assertThat(target.operations).contains(READ, RESERVE_IN).doesNotContain(COMPARE_AND_WRITE);
    }

    @Test
    void shouldNotBeginTwice() throws Exception {
        target.answers.put(READ, new ArrayDeque<>(List.of(Answer.of(0, new byte[512]))));
        onLoop(() -> {
            proofs.begin(target.address(), List.of(DISK));
            proofs.begin(target.address(), List.of(DISK));
        });

        prove();

        await().until(() -> heard.contains(""));
        assertThat(target.operations).containsExactly(INQUIRY, READ, COMPARE_AND_WRITE);
    }

    private void prove() throws Exception {
        onLoop(() -> proofs.prove(target.address(), List.of(DISK), Set.of("iqn.vm"), heard::add));
    }

    private void onLoop(Runnable task) throws Exception {
        loop.submit(task).get(LIMIT_MS, TimeUnit.MILLISECONDS);
    }
}
