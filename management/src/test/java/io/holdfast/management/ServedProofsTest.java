package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.DeferredBackend;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoPool;
import io.holdfast.block.MemoryBackend;
import io.holdfast.block.PortableLane;
import io.holdfast.control.ExportedUnit;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a server answers to agents who ask about units, of which one is served and is not open yet. */
@Timeout(60)
class ServedProofsTest {
    private static final UUID OWN = new UUID(1, 2);
    private static final UUID OTHER = new UUID(1, 3);
    private static final int BYTES = 1 << 20;
    private static final String TARGET = "iqn.2026-11.io.holdfast:vfchost0";
    private static final ExportedUnit UNIT = new ExportedUnit(TARGET, 4, OWN.toString(), BYTES, false);
    private static final ExportedUnit OTHER_UNIT = new ExportedUnit(TARGET, 5, OTHER.toString(), BYTES, false);

    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final IoPool pool = new IoPool();
    private final DeferredBackend image = new DeferredBackend("web1.img", BYTES, false, true);
    private final LogicalUnit served =
            LogicalUnit.builder(LogicalUnitIdentity.of(OWN), image).build();
    private volatile @Nullable IoLane lane = new PortableLane(thread, pool);
    private final LogicalUnit other = LogicalUnit.builder(LogicalUnitIdentity.of(OTHER), new MemoryBackend(BYTES))
            .build();
    private final ServedProofs proofs = proofs(ServedProofs.MAX_RUNNING);

    @AfterEach
    void end() {
        thread.shutdownNow();
        assertThat(pool.close(Duration.ofSeconds(30))).isTrue();
    }

    @Test
    void shouldProveAUnitWhenItsImageHasBeenOpened() throws Exception {
        CompletableFuture<String> answer = ask(UNIT);
        assertThat(answer).isNotDone();

        image.opened(new MemoryBackend(BYTES));

        assertThat(answer.get(30, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void shouldObjectWhenItTurnsOutThatTheImageIsSmallerThanWasAnnounced() throws Exception {
        CompletableFuture<String> answer = ask(UNIT);

        image.opened(new MemoryBackend(BYTES / 2));

        assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo("it has 524288 bytes, and had 1048576");
    }

    @Test
    void shouldAnswerWhateverIsAsked() throws Exception {
        image.opened(new MemoryBackend(BYTES));
        for (ExportedUnit nowhere : List.of(
                new ExportedUnit("", 0, "", 0, false),
                new ExportedUnit(TARGET, -1, OWN.toString(), BYTES, false),
                new ExportedUnit("vfchost0", 4, OWN.toString(), BYTES, false))) {
            assertThat(ask(nowhere).get(30, TimeUnit.SECONDS)).isEqualTo("the server has no such unit");
        }
        assertThat(ask(new ExportedUnit(TARGET, 4, "no uuid", BYTES, false)).get(30, TimeUnit.SECONDS))
                .isEqualTo("that is another unit, " + OWN);
        assertThat(ask(new ExportedUnit(TARGET, 4, OWN.toString(), Long.MIN_VALUE, false))
                        .get(30, TimeUnit.SECONDS))
                .isEmpty();
    }

    @Test
    void shouldSayThatItDoesNotServeYetOrAnyMore() throws Exception {
        IoLane late = lane;
        lane = null;
        assertThat(ask(UNIT).get(30, TimeUnit.SECONDS)).isEqualTo("the server does not serve");
        lane = late;

        proofs.close();

        assertThat(ask(UNIT).get(30, TimeUnit.SECONDS)).isEqualTo("the server does not serve");
    }

    @Test
    void shouldEndWhenTheLastOfItsProofsHasEnded() throws Exception {
        CompletableFuture<String> answer = ask(UNIT);
        proofs.close();

        assertThat(proofs.awaitEnd(Duration.ofMillis(10))).isFalse();
        image.opened(new MemoryBackend(BYTES));

        assertThat(proofs.awaitEnd(Duration.ofSeconds(30))).isTrue();
        assertThat(answer.get(30, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void shouldProveAUnitNoMoreThanTwiceAtATimeAndTheOthersAfterThat() throws Exception {
        List<CompletableFuture<String>> answers = new ArrayList<>();
        List<Runnable> givingUp = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            CompletableFuture<String> answer = new CompletableFuture<>();
            givingUp.add(proofs.prove(UNIT, Set.of(), answer::complete));
            answers.add(answer);
        }

        givingUp.get(0).run();
        givingUp.get(2).run();
        givingUp.get(3).run();
        assertThat(answers.get(0)).as("it is under way").isNotDone();
        assertThat(answers.get(2)).isCompletedWithValue("nobody waits for it any more");
        assertThat(answers.get(3)).isCompletedWithValue("nobody waits for it any more");
        image.opened(new MemoryBackend(BYTES));

        assertThat(answers.get(0).get(30, TimeUnit.SECONDS)).isEqualTo("nobody waits for it any more");
        for (int i : new int[] {1, 4, 5}) {
            assertThat(answers.get(i).get(30, TimeUnit.SECONDS)).isEmpty();
        }
    }

    @Test
    void shouldProveOtherUnitsHoweverOftenItIsAskedAboutOneThatHangs() throws Exception {
        ServedProofs few = proofs(ServedProofs.MAX_OF_A_UNIT + 1);
        List<CompletableFuture<String>> hanging = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            hanging.add(ask(few, UNIT));
        }

        for (int i = 0; i < 5; i++) {
            assertThat(ask(few, OTHER_UNIT).get(30, TimeUnit.SECONDS)).isEmpty();
        }

        assertThat(hanging).noneMatch(CompletableFuture::isDone);
        image.opened(new MemoryBackend(BYTES));
        for (CompletableFuture<String> answer : hanging) {
            assertThat(answer.get(30, TimeUnit.SECONDS)).isEmpty();
        }
    }

    @Test
    void shouldProveNoMoreThanItsLimitOfAllUnits() throws Exception {
        ServedProofs one = proofs(1);
        ask(one, UNIT);
        CompletableFuture<String> answer = new CompletableFuture<>();
        Runnable givingUp = one.prove(OTHER_UNIT, Set.of(), answer::complete);
        CompletableFuture<String> patient = ask(one, OTHER_UNIT);

        givingUp.run();
        assertThat(answer).isCompletedWithValue("nobody waits for it any more");
        assertThat(patient).isNotDone();
        image.opened(new MemoryBackend(BYTES));

        assertThat(patient.get(30, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void shouldAnswerThoseThatWaitWhenItStops() throws Exception {
        ask(UNIT);
        ask(UNIT);
        CompletableFuture<String> waiting = ask(UNIT);

        proofs.close();

        assertThat(waiting).isCompletedWithValue("the server does not serve");
        image.opened(new MemoryBackend(BYTES));
        assertThat(proofs.awaitEnd(Duration.ofSeconds(30))).isTrue();
    }

    @Test
    void shouldAnswerAndHoldNothingUpWhenProvingFailsInTheServerItself() throws Exception {
        IoLane sound = lane;
        lane = new PortableLane(
                task -> {
                    throw new IllegalStateException("as the test wants it");
                },
                pool);
        for (int i = 0; i < 3; i++) {
            assertThat(ask(OTHER_UNIT).get(30, TimeUnit.SECONDS)).contains("as the test wants it");
        }

        assertThat(proofs.awaitEnd(Duration.ofMillis(10))).isTrue();
        lane = sound;
        assertThat(ask(OTHER_UNIT).get(30, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void shouldGoOnWhenAnAnswerIsNotTaken() throws Exception {
        for (int i = 0; i < 3; i++) {
            proofs.prove(OTHER_UNIT, Set.of(), objection -> {
                throw new IllegalStateException("as the test wants it");
            });
        }

        assertThat(ask(OTHER_UNIT).get(30, TimeUnit.SECONDS)).isEmpty();
    }

    private ServedProofs proofs(int maxRunning) {
        Map<Integer, LogicalUnit> units = Map.of(4, served, 5, other);
        return new ServedProofs(() -> lane, (target, lun) -> target.equals(TARGET) ? units.get(lun) : null, maxRunning);
    }

    private CompletableFuture<String> ask(ExportedUnit unit) {
        return ask(proofs, unit);
    }

    private static CompletableFuture<String> ask(ServedProofs of, ExportedUnit unit) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        of.prove(unit, Set.of("naa.c05076075aac0000"), answer::complete);
        return answer;
    }
}
