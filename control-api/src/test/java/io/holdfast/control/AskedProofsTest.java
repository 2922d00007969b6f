package io.holdfast.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.EventExecutor;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every question of an agent's is answered once, whatever becomes of it. */
@Timeout(60)
class AskedProofsTest {
    private static final int PATIENT_MS = 60_000;
    private static final ExportedUnit UNIT = new ExportedUnit("iqn.t:disk", 3, "u", 1, false);

    private final EventExecutor loop = new DefaultEventExecutor();
    private final List<ServerMessage> replies = new CopyOnWriteArrayList<>();
    private final List<Consumer<String>> asked = new CopyOnWriteArrayList<>();
    private final AtomicInteger givenUp = new AtomicInteger();

    /** Answers when the test does. */
    private final UnitProver slow = (unit, initiators, answer) -> {
        asked.add(answer);
        return givenUp::incrementAndGet;
    };

    @AfterEach
    void stop() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void shouldAnswerEachQuestionWithWhatWasFoundOut() throws Exception {
        AskedProofs proofs = new AskedProofs(loop, replies::add, PATIENT_MS);
        ask(proofs, 7, slow);
        ask(proofs, 8, slow);

        asked.get(1).accept("");
        asked.get(0).accept("it is another one");

        await().until(() -> replies.size() == 2);
        assertThat(replies)
                .containsExactly(
                        new ServerMessage.UnitProved(8, ""), new ServerMessage.UnitProved(7, "it is another one"));
        assertThat(givenUp).hasValue(0);
    }

    @Test
    void shouldSayThatTimeIsUpAndNothingAfterThat() throws Exception {
        AskedProofs proofs = new AskedProofs(loop, replies::add, 20);
        ask(proofs, 7, slow);

        await().until(() -> givenUp.get() == 1);
        asked.get(0).accept("");
        onLoop(() -> {});

        assertThat(replies).containsExactly(new ServerMessage.UnitProved(7, "no answer within 20 ms"));
    }

    @Test
    void shouldRefuseMoreThanItsLimitUntilOneIsAnswered() throws Exception {
        AskedProofs proofs = new AskedProofs(loop, replies::add, PATIENT_MS);
        for (int i = 0; i < AskedProofs.MAX_OPEN; i++) {
            ask(proofs, i, slow);
        }

        ask(proofs, 1_000, slow);
        assertThat(replies)
                .containsExactly(
                        new ServerMessage.UnitProved(1_000, "the server proves 256 units for this agent already"));
        asked.get(5).accept("");
        onLoop(() -> {});
        ask(proofs, 1_001, slow);

        assertThat(asked).hasSize(AskedProofs.MAX_OPEN + 1);
    }

    @Test
    void shouldProveOthersWhileTheStorageOfAllThatItWasAskedAboutHangs() throws Exception {
        AskedProofs proofs = new AskedProofs(loop, replies::add, 20);
        for (int i = 0; i < AskedProofs.MAX_OPEN; i++) {
            ask(proofs, i, slow);
        }
        await().until(() -> givenUp.get() == AskedProofs.MAX_OPEN);
        replies.clear();

        ask(proofs, 1_000, (unit, initiators, answer) -> {
            answer.accept("");
            return () -> {};
        });

        await().until(() -> !replies.isEmpty());
        assertThat(replies).containsExactly(new ServerMessage.UnitProved(1_000, ""));
    }

    @Test
    void shouldPutUpWithAnAnswerAfterItsThreadHasEnded() throws Exception {
        ask(new AskedProofs(loop, replies::add, PATIENT_MS), 7, slow);
        stop();

        assertThatCode(() -> asked.get(0).accept("")).doesNotThrowAnyException();
    }

    @Test
    void shouldAnswerWhenProvingFailsInTheServerItself() throws Exception {
        AskedProofs proofs = new AskedProofs(loop, replies::add, PATIENT_MS);

        ask(proofs, 7, (unit, initiators, answer) -> {
            throw new IllegalStateException("as the test wants it");
        });

        assertThat(replies).hasSize(1);
        assertThat(((ServerMessage.UnitProved) replies.get(0)).objection()).contains("as the test wants it");
    }

    @Test
    void shouldGiveUpWhatAnAgentHasAskedThatIsGone() throws Exception {
        AskedProofs proofs = new AskedProofs(loop, replies::add, PATIENT_MS);
        ask(proofs, 7, slow);

        onLoop(proofs::close);
        asked.get(0).accept("");
        onLoop(() -> {});

        assertThat(givenUp).hasValue(1);
        assertThat(replies).isEmpty();
    }

    @Test
    void shouldAnswerWhereNothingIsProved() throws Exception {
        ask(new AskedProofs(loop, replies::add, PATIENT_MS), 7, UnitProver.NONE);

        await().until(() -> !replies.isEmpty());
        assertThat(replies).containsExactly(new ServerMessage.UnitProved(7, "this server proves no units"));
    }

    private void ask(AskedProofs proofs, long id, UnitProver prover) throws Exception {
        onLoop(() -> proofs.ask(new AgentMessage.ProveUnit(id, UNIT, List.of("iqn.vm", "iqn.vm")), prover));
    }

    private void onLoop(Runnable task) throws Exception {
        loop.submit(task).get(PATIENT_MS, TimeUnit.MILLISECONDS);
    }
}
