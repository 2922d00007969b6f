package io.holdfast.management.served;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.FileBackend;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import io.holdfast.block.IoPool;
import io.holdfast.block.IoQueue;
import io.holdfast.block.OpenFile;
import io.holdfast.block.PortableLane;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.scsi.FileSanitizeStore;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import io.holdfast.scsi.SanitizeRequest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** LUs that were being sanitized when the server ended, and those that are when it ends. */
@Timeout(120)
class SanitizedLusTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final UUID UNIT = new UUID(1, 2);
    /** Three pieces of a sanitizing. */
    private static final int BYTES = 9 << 20;

    private static final byte BEFORE = 'a';
    private static final byte PATTERN = 0x5a;

    @TempDir
    private Path dir = Path.of("");

    private final IoPool pool = new IoPool();
    private final SteppedLane lane = new SteppedLane(pool);

    private Path image = Path.of("");
    private Path record = Path.of("");

    @BeforeEach
    void anLuThatIsBeingSanitized() throws IOException {
        image = dir.resolve("web1.img");
        byte[] content = new byte[BYTES];
        Arrays.fill(content, BEFORE);
        Files.write(image, content);
        FileSanitizeStore.open(records(), UNIT)
                .begun(new SanitizeRequest(SanitizeRequest.Method.OVERWRITE, 1, false, false, new byte[] {PATTERN}));
        record = records().resolve(UNIT + ".sanitize");
        assertThat(record).exists();
    }

    @AfterEach
    void closePool() {
        assertThat(pool.close(PATIENCE)).isTrue();
    }

    private Path records() {
        return dir.resolve("sanitizing");
    }

    private LuBacking lu() {
        return new LuBacking("web1", image, null, UNIT, BYTES, 512, false, false, false, 1);
    }

    private ServedLus server() {
        return new ServedLus((backing, backend) -> {
            try {
                return LogicalUnit.builder(LogicalUnitIdentity.of(backing.uuid()), backend)
                        .sanitizing(FileSanitizeStore.open(records(), backing.uuid()))
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** The test is the thread of this lane, and decides how far it comes. */
    private static final class SteppedLane implements IoLane {
        private final BlockingQueue<Runnable> steps = new LinkedBlockingQueue<>();
        private final IoLane lane;
        /** Calls that have not come back; only the test's thread counts. */
        private int away;

        SteppedLane(IoPool pool) {
            lane = new PortableLane(steps::add, pool);
        }

        boolean isIdle() {
            return away == 0 && steps.isEmpty();
        }

        /** Goes on step by step until something is so. */
        void goOnUntil(BooleanSupplier reached, String what) throws InterruptedException {
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (!reached.getAsBoolean()) {
                Runnable step = steps.poll(10, TimeUnit.MILLISECONDS);
                if (step != null) {
                    step.run();
                }
                assertThat(System.nanoTime() - deadline)
                        .as("time until %s", what)
                        .isNegative();
            }
        }

        @Override
        public void read(OpenFile file, long offset, IoMemory into, IoCallback done) {
            lane.read(file, offset, into, done);
        }

        @Override
        public void write(OpenFile file, long offset, IoMemory from, IoCallback done) {
            lane.write(file, offset, from, done);
        }

        @Override
        public void offload(IoQueue calls, BlockingCall call, IoCallback done) {
            away++;
            lane.offload(calls, call, failure -> {
                away--;
                done.done(failure);
            });
        }

        @Override
        public void execute(Runnable task) {
            lane.execute(task);
        }
    }

    private byte at(long offset) {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
            file.seek(offset);
            return file.readByte();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitSanitized() throws Exception {
        lane.goOnUntil(() -> !Files.exists(record), "the record is gone");
        byte[] pattern = new byte[BYTES];
        Arrays.fill(pattern, PATTERN);
        assertThat(Files.readAllBytes(image)).isEqualTo(pattern);
    }

    @Test
    void shouldGoOnWithWhatIsThereWhenTheStartIsFinished() throws Exception {
        try (ServedLus served = server()) {
            served.announce(lu());
            served.resumeSanitizing(lane);
            awaitSanitized();
        }
    }

    @Test
    void shouldGoOnWithAnLuThatIsAnnouncedLater() throws Exception {
        try (ServedLus served = server()) {
            served.resumeSanitizing(lane);
            served.announce(lu());
            awaitSanitized();
        }
    }

    @Test
    void shouldGoOnWithAnLuThatIsServedLater() throws Exception {
        try (ServedLus served = server()) {
            served.resumeSanitizing(lane);
            served.serve(lu(), FileBackend.open(image, ServedLus.existing(lu())));
            awaitSanitized();
        }
    }

    @Test
    void shouldLeaveTheRestToTheNextServer() throws Exception {
        try (ServedLus served = server()) {
            begin(served);
            served.stopSanitizing();
            lane.goOnUntil(lane::isIdle, "nothing is done any more");
        }
        assertThat(at(BYTES - 1)).as("its last byte").isEqualTo(BEFORE);
        assertThat(record).exists();
        try (ServedLus next = server()) {
            next.announce(lu());
            next.resumeSanitizing(lane);
            awaitSanitized();
        }
    }

    @Test
    void shouldCloseTheImageOfAnLuThatIsRemovedOnlyAfterItsPiece() throws Exception {
        try (ServedLus served = server()) {
            begin(served);
            ServedLus.Retired gone = Objects.requireNonNull(served.retire("web1"));
            AtomicBoolean ended = new AtomicBoolean();
            Objects.requireNonNull(gone.unit()).retire(() -> ended.set(true));
            assertThat(ended).as("while a piece is on its way").isFalse();
            lane.goOnUntil(lane::isIdle, "nothing is done any more");
            assertThat(ended).isTrue();
            AtomicBoolean closed = new AtomicBoolean();
            gone.close(() -> closed.set(true));
            lane.goOnUntil(closed::get, "its image is closed");
        }
        assertThat(at(BYTES - 1)).as("its last byte").isEqualTo(BEFORE);
        assertThat(record).as("whoever serves the image again goes on").exists();
    }

    /** It begins to write, and stands still. */
    private void begin(ServedLus served) throws InterruptedException {
        served.announce(lu());
        served.resumeSanitizing(lane);
        lane.goOnUntil(() -> at(0) == PATTERN, "it has begun to write");
    }
}
