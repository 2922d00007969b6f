package io.holdfast.management;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.block.BlockError;
import io.holdfast.block.FileBackend;
import io.holdfast.block.FileOptions;
import io.holdfast.block.IoPool;
import io.holdfast.control.RaisedEvent;
import io.holdfast.scsi.StorageListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnitWatchTest implements UnitWatch.Agents {
    private static final String TARGET = "iqn.2026-11.io.holdfast:web1";
    private static final long SECOND_NS = 1_000_000_000L;

    @TempDir
    private Path folder = Path.of("");

    private final AtomicLong nowNs = new AtomicLong(SECOND_NS);
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<String> targets = new CopyOnWriteArrayList<>(List.of(TARGET));
    private final AtomicInteger resizes = new AtomicInteger();
    private final UnitWatch watch = new UnitWatch(() -> this, resizes::incrementAndGet, nowNs::get);
    private final IoPool pool = new IoPool(1, 16);
    private FileBackend backend;
    private StorageListener unit = StorageListener.NONE;

    @Override
    public void raise(RaisedEvent event) {
        told.add("raise " + event.event() + " " + event.target());
    }

    @Override
    public void clear(RaisedEvent event) {
        told.add("clear " + event.event() + " " + event.target());
    }

    @BeforeEach
    void openImage() throws Exception {
        backend = FileBackend.open(
                folder.resolve("web1.img"), new FileOptions(false, OptionalLong.of(1 << 20), false, false));
        unit = watch.watch(() -> List.copyOf(targets), () -> backend, pool);
    }

    @AfterEach
    void close() throws Exception {
        watch.close();
        backend.close();
        pool.close();
    }

    private void fails(BlockError.Kind kind) {
        unit.failed(new BlockError(kind, "for a test"));
    }

    /** Nothing has failed for a while, and the watch looks. */
    private void calmPasses() {
        nowNs.addAndGet(2 * SECOND_NS);
        watch.look();
    }

    @ParameterizedTest
    @CsvSource({
        "NO_SPACE, storage-full",
        "MEDIUM, storage-error",
        "UNREACHABLE, storage-gone",
        "READ_ONLY, storage-read-only"
    })
    void shouldTellAFailureByItsNameAndOnce(BlockError.Kind kind, String event) {
        fails(kind);
        fails(kind);

        assertThat(told).containsExactly("raise " + event + " " + TARGET);
    }

    @Test
    void shouldTellNothingOfWhatIsTheInitiatorsFault() {
        fails(BlockError.Kind.OUT_OF_RANGE);
        fails(BlockError.Kind.UNSUPPORTED);

        assertThat(told).isEmpty();
    }

    @Test
    void shouldSayThatItIsOverWhenNothingFailedForAMomentAndTheProbeSucceeds() {
        fails(BlockError.Kind.MEDIUM);
        nowNs.addAndGet(SECOND_NS / 20);
        watch.look();
        assertThat(told).as("a twentieth of a second is too soon").hasSize(1);

        calmPasses();

        await().atMost(20, SECONDS).until(() -> told.contains("clear storage-error " + TARGET));
    }

    @Test
    void shouldNotBelieveStorageThatStillHoldsACommandUp() {
        unit.overdue(1);
        calmPasses();
        calmPasses();
        assertThat(told).containsExactly("raise storage-stalled " + TARGET);

        unit.overdue(-1);
        calmPasses();

        await().atMost(20, SECONDS).until(() -> told.contains("clear storage-stalled " + TARGET));
    }

    @Test
    void shouldBelieveMoreAndMoreSlowlyWhatKeepsFailing() {
        for (int calmMs : new int[] {100, 200, 400, 800, 1600, 1600}) {
            told.clear();
            fails(BlockError.Kind.MEDIUM);
            nowNs.addAndGet(calmMs * 1_000_000L);
            watch.look();
            assertThat(told).as("after " + calmMs + " ms").containsExactly("raise storage-error " + TARGET);
            nowNs.addAndGet(1_000_000L);
            watch.look();
            await().atMost(20, SECONDS).until(() -> told.contains("clear storage-error " + TARGET));
        }

        nowNs.addAndGet(11 * SECOND_NS);
        told.clear();
        fails(BlockError.Kind.MEDIUM);
        nowNs.addAndGet(101_000_000L);
        watch.look();
        await().atMost(20, SECONDS).until(() -> told.contains("clear storage-error " + TARGET));
    }

    @Test
    void shouldNotBelieveStorageWhoseImageIsGoneUntilItIsBack() throws Exception {
        Path image = folder.resolve("web1.img");
        Path elsewhere = folder.resolve("elsewhere.img");
        fails(BlockError.Kind.MEDIUM);
        Files.move(image, elsewhere);

        calmPasses();
        await().atMost(20, SECONDS).until(() -> backend.absent() != null);
        assertThat(told).as("nobody but the probe has looked").containsExactly("raise storage-error " + TARGET);

        Files.move(elsewhere, image);
        await().atMost(20, SECONDS).until(() -> {
            calmPasses();
            return told.contains("clear storage-error " + TARGET);
        });
    }

    @Test
    void shouldLookAgainByItselfAtAllThatIsRaised() {
        for (int more = 0; more < 100; more++) {
            watch.watch(() -> List.of(TARGET), () -> backend, pool)
                    .failed(new BlockError(BlockError.Kind.MEDIUM, "for a test"));
        }
        nowNs.addAndGet(2 * SECOND_NS);

        watch.start();

        await().atMost(20, SECONDS)
                .until(() ->
                        told.stream().filter(line -> line.startsWith("clear")).count() == 100);
    }

    @Test
    void shouldSayWhenAnImageHasAnotherSize() throws Exception {
        watch.look();
        int opened = resizes.get();
        watch.look();
        assertThat(resizes).as("as large as before").hasValue(opened);

        backend.grow(2 << 20);
        watch.look();

        assertThat(resizes).hasValue(opened + 1);
    }

    @Test
    void shouldTellUnderEveryTargetItHasAndFollowThem() {
        targets.add("iqn.2026-11.io.holdfast:vfchost1");
        fails(BlockError.Kind.NO_SPACE);
        assertThat(told)
                .containsExactlyInAnyOrder(
                        "raise storage-full " + TARGET, "raise storage-full iqn.2026-11.io.holdfast:vfchost1");

        targets.remove(TARGET);
        targets.add("iqn.2026-11.io.holdfast:vfchost2");
        watch.look();

        assertThat(told)
                .contains("clear storage-full " + TARGET, "raise storage-full iqn.2026-11.io.holdfast:vfchost2");
    }

    @Test
    void shouldEndWithItsUnit() {
        fails(BlockError.Kind.NO_SPACE);

        watch.forget(unit);

        assertThat(told).containsExactly("raise storage-full " + TARGET, "clear storage-full " + TARGET);
    }
}
