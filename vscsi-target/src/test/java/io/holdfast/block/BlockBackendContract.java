package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every backend does on every lane. Extend it with a way to open the backend and, for other lanes, a rig. */
@Timeout(120)
public abstract class BlockBackendContract {
    private static final long GIB = 1L << 30;
    private static final long SIZE = 5 * GIB;

    protected LaneRig rig;
    protected BlockBackend backend;

    /** A new backend of this size that reads as zeroes, opened for writing. */
    protected abstract BlockBackend create(long sizeBytes) throws Exception;

    /** A backend of this size that reads as zeroes, opened read-only. */
    protected abstract BlockBackend createReadOnly(long sizeBytes) throws Exception;

    /**
     * What a backend must tell of a range: its holes, if it keeps a record of them. One that does not tells all of it as
     * data.
     */
    protected String told(String holesAndData, long lengthBytes) {
        return holesAndData;
    }

    /** Whether it takes data without waiting. */
    protected boolean writesAtOnce() {
        return false;
    }

    protected LaneRig newRig() {
        return LaneRig.portable();
    }

    @BeforeEach
    final void open() throws Exception {
        rig = newRig();
        backend = create(SIZE);
    }

    @AfterEach
    final void close() throws Exception {
        rig.close();
        backend.close();
    }

    @Test
    void shouldReadWhatWasWrittenAtAnyOffsetAndLength() {
        long[] offsets = {0, 1, 511, 512, 4095, 65_535, 2 * GIB - 3, 2 * GIB, 4 * GIB - 4096, 4 * GIB + 1};
        int[] lengths = {1, 512, 4096, 4097, 65_536, 300_001};
        for (long offset : offsets) {
            for (int length : lengths) {
                DirectMemory bytes = DirectMemory.random(length, offset + length);
                assertThat(write(offset, bytes)).isEmpty();
                assertThat(read(offset, length))
                        .as("%d bytes at %d", length, offset)
                        .isEqualTo(bytes.content());
            }
        }
    }

    @Test
    void shouldKeepWhatIsAroundAWrite() {
        write(0, DirectMemory.random(200_000, 1));
        byte[] expected = read(0, 200_000);
        DirectMemory middle = DirectMemory.random(70_000, 2);
        write(60_001, middle);
        System.arraycopy(middle.content(), 0, expected, 60_001, 70_000);
        assertThat(read(0, 200_000)).isEqualTo(expected);
    }

    @Test
    void shouldHaveWrittenAtOnceWhatItSaysAndNothingElse() {
        DirectMemory before = DirectMemory.random(200_000, 16);
        write(0, before);
        DirectMemory bytes = DirectMemory.random(100_000, 17);

        assertThat(writeNow(backend, 60_001, bytes, 70_000)).isEqualTo(writesAtOnce() ? 70_000 : 0);

        byte[] expected = before.content();
        System.arraycopy(bytes.content(), 0, expected, 60_001, writesAtOnce() ? 70_000 : 0);
        assertThat(read(0, 200_000)).isEqualTo(expected);
    }

    @Test
    void shouldWriteNothingAtOnceThatItMustRefuse() throws Exception {
        DirectMemory bytes = DirectMemory.random(8192, 18);
        for (long offset : new long[] {SIZE - 4095, SIZE, Long.MAX_VALUE - 100, -1}) {
            assertThat(writeNow(backend, offset, bytes, 4096))
                    .as("at %d", offset)
                    .isZero();
        }
        assertThat(backend.sizeBytes()).isEqualTo(SIZE);
        BlockBackend readOnly = createReadOnly(1 << 20);
        try {
            assertThat(writeNow(readOnly, 0, bytes, 4096)).isZero();
        } finally {
            readOnly.close();
        }
    }

    private int writeNow(BlockBackend to, long offset, DirectMemory bytes, int length) {
        int[] written = new int[1];
        rig.run((lane, done) -> {
            written[0] = to.writeNow(offset, bytes, length, lane);
            done.done(null);
        });
        return written[0];
    }

    @Test
    void shouldReadAndWriteUpToTheLastByte() {
        DirectMemory bytes = DirectMemory.random(8192, 3);
        assertThat(write(SIZE - 8192, bytes)).isEmpty();
        assertThat(read(SIZE - 8192, 8192)).isEqualTo(bytes.content());
    }

    @Test
    void shouldReadHolesAsZeroes() {
        assertThat(read(3 * GIB + 7, 100_000)).containsOnly(0);
        write(3 * GIB + 50_000, DirectMemory.random(1, 4));
        assertThat(read(3 * GIB, 50_000)).containsOnly(0);
    }

    @Test
    void shouldMoveNothingWhenNothingIsAskedFor() {
        assertThat(write(SIZE, DirectMemory.dirty(0))).isEmpty();
        assertThat(read(SIZE, 0)).isEmpty();
        assertThat(discard(SIZE, 0)).isEmpty();
    }

    @Test
    void shouldRefuseWhatReachesBeyondTheEnd() {
        for (long offset : new long[] {SIZE - 4095, SIZE, Long.MAX_VALUE - 100, -1}) {
            DirectMemory bytes = DirectMemory.dirty(4096);
            assertThat(rig.run((lane, done) -> backend.read(offset, bytes, lane, done)))
                    .as("read at %d", offset)
                    .hasValueSatisfying(BlockBackendContract::isOutOfRange);
            assertThat(write(offset, bytes)).hasValueSatisfying(BlockBackendContract::isOutOfRange);
            assertThat(discard(offset, 4096)).hasValueSatisfying(BlockBackendContract::isOutOfRange);
            assertThat(zero(offset, 4096)).hasValueSatisfying(BlockBackendContract::isOutOfRange);
            assertThat(fill(offset, 4096, bytes)).hasValueSatisfying(BlockBackendContract::isOutOfRange);
            assertThat(rig.run((lane, done) -> backend.extents(offset, 4096, new Extents(1), lane, done)))
                    .hasValueSatisfying(BlockBackendContract::isOutOfRange);
        }
        assertThat(discard(0, Long.MAX_VALUE)).hasValueSatisfying(BlockBackendContract::isOutOfRange);
    }

    private static void isOutOfRange(BlockError failure) {
        assertThat(failure.kind()).isEqualTo(BlockError.Kind.OUT_OF_RANGE);
    }

    @Test
    void shouldReadButNotChangeWhatIsReadOnly() throws Exception {
        BlockBackend readOnly = createReadOnly(1 << 20);
        try {
            assertThat(readOnly.readOnly()).isTrue();
            assertThat(readOnly.discards()).isFalse();
            DirectMemory bytes = DirectMemory.dirty(4096);
            assertThat(rig.run((lane, done) -> readOnly.read(0, bytes, lane, done)))
                    .isEmpty();
            assertThat(bytes.content()).containsOnly(0);
            for (Durability durability : Durability.values()) {
                assertThat(rig.run((lane, done) -> readOnly.write(0, bytes, durability, lane, done)))
                        .hasValueSatisfying(BlockBackendContract::isReadOnly);
            }
            assertThat(rig.run((lane, done) -> readOnly.discard(0, 4096, lane, done)))
                    .hasValueSatisfying(BlockBackendContract::isReadOnly);
            assertThat(rig.run((lane, done) -> readOnly.zero(0, 4096, lane, done)))
                    .hasValueSatisfying(BlockBackendContract::isReadOnly);
            assertThat(rig.run((lane, done) -> readOnly.fill(0, 4096, bytes, lane, done)))
                    .hasValueSatisfying(BlockBackendContract::isReadOnly);
            assertThat(rig.run(readOnly::flush)).isEmpty();
        } finally {
            readOnly.close();
        }
    }

    private static void isReadOnly(BlockError failure) {
        assertThat(failure.kind()).isEqualTo(BlockError.Kind.READ_ONLY);
    }

    @Test
    void shouldFlushAfterWritesAndWithoutAny() {
        assertThat(rig.run(backend::flush)).isEmpty();
        write(4096, DirectMemory.random(4096, 5));
        assertThat(rig.run(backend::flush)).isEmpty();
    }

    @Test
    void shouldAnswerEveryOneOfManyFlushesAtOnce() {
        List<CompletableFuture<Optional<BlockError>>> flushes = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            long offset = i * 4096L;
            DirectMemory bytes = DirectMemory.random(4096, i);
            flushes.add(rig.start((lane, done) ->
                    backend.write(offset, bytes, Durability.CACHED, lane, failure -> backend.flush(lane, done))));
        }
        assertThat(flushes).allSatisfy(flush -> assertThat(flush.join()).isEmpty());
    }

    @Test
    void shouldReadBackWhatWasWrittenDurably() {
        DirectMemory bytes = DirectMemory.random(100_001, 6);
        assertThat(rig.run((lane, done) -> backend.write(12_345, bytes, Durability.DURABLE, lane, done)))
                .isEmpty();
        assertThat(read(12_345, 100_001)).isEqualTo(bytes.content());
    }

    @Test
    void shouldReadZeroesAfterADiscard() {
        write(GIB, DirectMemory.random(1 << 20, 7));
        assertThat(discard(GIB + (256 << 10), 512 << 10)).isEmpty();
        assertThat(read(GIB + (256 << 10), 512 << 10)).containsOnly(0);
        assertThat(discard(0, SIZE)).isEmpty();
        assertThat(read(GIB, 1 << 20)).containsOnly(0);
    }

    @Test
    void shouldDiscardExactlyTheBytesAskedForHoweverTheyLie() {
        Random random = new Random(8);
        for (int i = 0; i < 50; i++) {
            DirectMemory bytes = DirectMemory.random(200_000, i);
            write(0, bytes);
            int start = random.nextInt(150_000);
            int length = i % 2 == 0 ? 1 + random.nextInt(3000) : 1 + random.nextInt(200_000 - start);
            assertThat(discard(start, length)).isEmpty();
            byte[] expected = bytes.content();
            Arrays.fill(expected, start, start + length, (byte) 0);
            assertThat(read(0, 200_000)).as("%d bytes from %d", length, start).isEqualTo(expected);
        }
    }

    @Test
    void shouldZeroExactlyTheBytesAskedFor() {
        DirectMemory bytes = DirectMemory.random(200_000, 11);
        write(0, bytes);

        assertThat(zero(1_001, 150_000)).isEmpty();

        byte[] expected = bytes.content();
        Arrays.fill(expected, 1_001, 151_001, (byte) 0);
        assertThat(read(0, 200_000)).isEqualTo(expected);
        assertThat(backend.sizeBytes()).isEqualTo(SIZE);
    }

    @Test
    void shouldFillARangeWithItsPattern() {
        DirectMemory around = DirectMemory.random(40_000, 12);
        write(0, around);
        DirectMemory pattern = DirectMemory.random(4096, 13);

        assertThat(fill(8192, 3 * 4096 + 512, pattern)).isEmpty();

        byte[] expected = around.content();
        for (int i = 0; i < 3 * 4096 + 512; i++) {
            expected[8192 + i] = pattern.content()[i % 4096];
        }
        assertThat(read(0, 40_000)).isEqualTo(expected);
    }

    @Test
    void shouldTellWhereItsDataIs() {
        write(GIB, DirectMemory.random(1 << 20, 14));
        write(3 * GIB, DirectMemory.random(1 << 20, 15));

        long mib = 1 << 20;
        assertThat(extents(0, SIZE, 100))
                .hasToString(told(
                        "hole " + GIB + " data " + mib + " hole " + (2 * GIB - mib) + " data " + mib + " hole "
                                + (SIZE - 3 * GIB - mib),
                        SIZE));
    }

    @Test
    void shouldTellOnlyOfTheRangeAndAsMuchAsThereIsRoomFor() {
        write(GIB, DirectMemory.random(1 << 20, 14));

        assertThat(extents(GIB - 4096, 2 << 20, 2)).hasToString(told("hole 4096 data 1048576", 2 << 20));
        assertThat(extents(GIB + 4096, 8192, 2)).hasToString("data 8192");
        assertThat(extents(0, 4096, 1)).hasToString(told("hole 4096", 4096));
        assertThat(extents(SIZE, 0, 1)).hasToString("nothing");
    }

    @Test
    void shouldCallAHoleWhatHasBeenDiscarded() {
        write(GIB, DirectMemory.random(1 << 20, 14));
        discard(GIB, 1 << 20);

        assertThat(extents(GIB, 1 << 20, 2)).hasToString(told("hole 1048576", 1 << 20));
    }

    @Test
    void shouldCarryOutManyOperationsAtOnce() {
        Random random = new Random(9);
        List<CompletableFuture<Optional<BlockError>>> started = new ArrayList<>();
        List<DirectMemory> written = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            DirectMemory bytes = DirectMemory.random(1 + random.nextInt(8192), i);
            long offset = i * 8192L;
            Durability durability = i % 10 == 0 ? Durability.DURABLE : Durability.CACHED;
            written.add(bytes);
            started.add(rig.start((lane, done) -> backend.write(offset, bytes, durability, lane, done)));
        }
        assertThat(started).allSatisfy(write -> assertThat(write.join()).isEmpty());
        started.clear();
        List<DirectMemory> read = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            DirectMemory bytes = DirectMemory.dirty(written.get(i).length());
            long offset = i * 8192L;
            read.add(bytes);
            started.add(rig.start((lane, done) -> backend.read(offset, bytes, lane, done)));
        }
        assertThat(started).allSatisfy(done -> assertThat(done.join()).isEmpty());
        for (int i = 0; i < 1000; i++) {
            assertThat(read.get(i).content())
                    .as("write %d", i)
                    .isEqualTo(written.get(i).content());
        }
    }

    @Test
    void shouldTellItsSizeAndItsName() {
        assertThat(backend.sizeBytes()).isEqualTo(SIZE);
        assertThat(backend.describe()).isNotBlank();
        assertThat(backend.readOnly()).isFalse();
    }

    protected final Optional<BlockError> write(long offset, DirectMemory bytes) {
        return rig.run((lane, done) -> backend.write(offset, bytes, Durability.CACHED, lane, done));
    }

    protected final byte[] read(long offset, int length) {
        DirectMemory bytes = DirectMemory.dirty(length);
        assertThat(rig.run((lane, done) -> backend.read(offset, bytes, lane, done)))
                .as("read %d bytes at %d", length, offset)
                .isEmpty();
        return bytes.content();
    }

    private Optional<BlockError> zero(long offset, long length) {
        return rig.run((lane, done) -> backend.zero(offset, length, lane, done));
    }

    private Optional<BlockError> fill(long offset, long length, DirectMemory pattern) {
        return rig.run((lane, done) -> backend.fill(offset, length, pattern, lane, done));
    }

    private Extents extents(long offset, long length, int room) {
        Extents extents = new Extents(room);
        assertThat(rig.run((lane, done) -> backend.extents(offset, length, extents, lane, done)))
                .isEmpty();
        return extents;
    }

    protected final Optional<BlockError> discard(long offset, long length) {
        return rig.run((lane, done) -> backend.discard(offset, length, lane, done));
    }
}
