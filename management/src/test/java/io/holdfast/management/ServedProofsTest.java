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
import java.util.List;
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
    private static final int BYTES = 1 << 20;
    private static final String TARGET = "iqn.2026-11.io.holdfast:vfchost0";
    private static final ExportedUnit UNIT = new ExportedUnit(TARGET, 4, OWN.toString(), BYTES, false);

    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final IoPool pool = new IoPool();
    private final DeferredBackend image = new DeferredBackend("web1.img", BYTES, false, true);
    private final LogicalUnit served =
            LogicalUnit.builder(LogicalUnitIdentity.of(OWN), image).build();
    private volatile @Nullable IoLane lane = new PortableLane(thread, pool);
    private final ServedProofs proofs =
            new ServedProofs(() -> lane, (target, lun) -> target.equals(TARGET) && lun == 4 ? served : null);

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

    private CompletableFuture<String> ask(ExportedUnit unit) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        proofs.prove(unit, Set.of("naa.c05076075aac0000"), answer::complete);
        return answer;
    }
}
