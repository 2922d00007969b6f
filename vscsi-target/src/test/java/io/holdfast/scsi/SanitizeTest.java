package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.block.BlockError;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** SANITIZE (SBC-3 §4.11, §5.24). */
class SanitizeTest {
    private static final int BLOCK = 512;
    private static final int BYTES = 9 << 20;
    private static final int INVERT = 0x80;
    private static final int IMMED = 0x80;
    private static final int AUSE = 0x20;

    @TempDir
    private Path dir;

    private final TestBackend backend = new TestBackend(BYTES);
    private final LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
            .removable()
            .build();
    private final Initiator initiator = Initiator.of(unit);
    private final TestLane lane = TestLane.held();
    private final TestTask task =
            new TestTask(new Nexus("iqn.x:held,i,0x1", "t", 1), new FixedLunView(Map.of(0, unit)), lane);

    private static CdbBuilder overwrite(int listBytes) {
        CdbBuilder cdb = CdbBuilder.cdb(ScsiCommand.SANITIZE_OVERWRITE);
        return cdb.set(7, listBytes >> 8).set(8, listBytes & 0xff);
    }

    private static CdbBuilder blockErase() {
        return CdbBuilder.cdb(ScsiCommand.SANITIZE_BLOCK_ERASE);
    }

    private static byte[] list(int flagsAndCount, int... pattern) {
        byte[] list = new byte[4 + pattern.length];
        list[0] = (byte) flagsAndCount;
        ByteBuffer.wrap(list).putShort(2, (short) pattern.length);
        for (int i = 0; i < pattern.length; i++) {
            list[4 + i] = (byte) pattern[i];
        }
        return list;
    }

    private void dirty() {
        Arrays.fill(backend.content(), (byte) 'a');
    }

    /** Begins a sanitizing on a lane that is held up: it stands still until its next step is run. */
    private void begin(CdbBuilder cdb, byte[] list) {
        task.start(unit, CdbBuilder.cdb(ScsiCommand.TEST_UNIT_READY).bytes(), null);
        task.start(unit, cdb.bytes(), list);
        lane.runOne();
    }

    private void runAll() {
        int steps = 0;
        while (lane.runOne()) {
            assertThat(++steps).as("steps").isLessThan(10_000);
        }
    }

    // ---- what it does

    @Test
    void shouldLeaveAReadOnlyUnitAlone() {
        TestBackend fixed = new TestBackend(BYTES).protect();
        Initiator reader = Initiator.of(Initiator.unit(fixed));
        reader.send(CdbBuilder.cdb(ScsiCommand.TEST_UNIT_READY)).isGood();
        reader.send(overwrite(5), list(1, 7)).failsWith(SenseCode.WRITE_PROTECTED);
        // What cannot be discarded cannot be erased in that way either.
        reader.send(blockErase()).complainsOfCdbByte(1);
        assertThat(fixed.operations()).isEmpty();
    }

    @Test
    void shouldOverwriteEachBlockFromItsBeginning() {
        dirty();
        initiator.send(overwrite(7), list(1, 1, 2, 3)).isGood();
        byte[] block = new byte[BLOCK];
        for (int i = 0; i < BLOCK; i++) {
            block[i] = (byte) (1 + i % 3);
        }
        for (int at : new int[] {0, BLOCK, 4 << 20, BYTES - BLOCK}) {
            assertThat(backend.content(at, BLOCK)).as("block at %d", at).isEqualTo(block);
        }
        assertThat(backend.operations()).endsWith("flush");
    }

    @Test
    void shouldWriteTheComplementInEverySecondPassAndFlushEach() {
        initiator.send(overwrite(5), list(INVERT | 2, 0x0f)).isGood();
        assertThat(backend.content()).containsOnly(0x0f);
        assertThat(backend.operations())
                .containsExactly(
                        "fill 0+4194304",
                        "fill 4194304+4194304",
                        "fill 8388608+1048576",
                        "flush",
                        "fill 0+4194304",
                        "fill 4194304+4194304",
                        "fill 8388608+1048576",
                        "flush");
    }

    @ParameterizedTest
    @CsvSource({"1, 0f", "2, f0", "3, 0f", "4, f0"})
    void shouldEndWithThePatternHoweverManyPassesAreInverted(int passes, String first) {
        begin(overwrite(5), list(INVERT | passes, 0x0f));
        for (int steps = 0; backend.operations().isEmpty(); steps++) {
            assertThat(lane.runOne()).as("step %d", steps).isTrue();
        }
        assertThat(HexFormat.of().toHexDigits(backend.content()[0]))
                .as("written first")
                .isEqualTo(first);
        runAll();
        assertThat(backend.content()).containsOnly(0x0f);
    }

    @Test
    void shouldOverwriteDataBeforeItIsGivenBack() {
        dirty();
        backend.hole(1 << 20, 2 << 20);
        initiator.send(blockErase()).isGood();
        assertThat(backend.content()).containsOnly(0);
        assertThat(backend.operations())
                .containsExactly(
                        "extents 0+9437184",
                        "fill 0+1048576",
                        "extents 1048576+8388608",
                        "fill 2097152+4194304",
                        "fill 6291456+3145728",
                        "flush",
                        "discard 0+9437184",
                        "flush");
    }

    @Test
    void shouldHaveNoBlockEraseWithoutThinProvisioningAndNoCryptographicErase() {
        LogicalUnit thick = Initiator.unit(new TestBackend(BYTES).withoutDiscard());
        Initiator.of(thick).send(blockErase()).complainsOfCdbByte(1);
        byte[] crypto = overwrite(0).bytes();
        crypto[1] = 3;
        initiator.send(crypto).complainsOfCdbByte(1);
    }

    @Test
    void shouldRefuseWhatMakesNoSense() {
        initiator.send(overwrite(4), list(1)).complainsOfCdbByte(7);
        initiator.send(overwrite(BLOCK + 5), new byte[BLOCK + 5]).complainsOfCdbByte(7);
        initiator.send(overwrite(5), list(0, 1)).complainsOfParameterByte(0);
        initiator.send(overwrite(5), list(0x21, 1)).complainsOfParameterByte(0);
        byte[] longer = list(1, 1, 2);
        longer[3] = 3;
        initiator.send(overwrite(6), longer).complainsOfParameterByte(2);
        longer[3] = 0;
        initiator.send(overwrite(6), longer).complainsOfParameterByte(2);
        initiator.send(overwrite(6), list(1, 1)).failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        initiator.send(blockErase().set(8, 8), new byte[8]).complainsOfCdbByte(8);
        assertThat(backend.operations()).isEmpty();
    }

    // ---- while it goes on

    @ParameterizedTest
    @EnumSource
    void shouldKeepCommandsOutMeanwhile(ScsiCommand command) {
        begin(overwrite(5), list(1, 1));
        Answer answer = initiator.send(command);
        if (command.access() == Access.IDENTIFY) {
            answer.isGood();
        } else {
            answer.failsWith(SenseCode.SANITIZE_IN_PROGRESS);
            assertThat(answer.sense()[15] & 0x80).as("SKSV").isEqualTo(0x80);
        }
        runAll();
        assertThat(task.completions()).isEqualTo(1);
        task.answer().isGood();
    }

    @Test
    void shouldTellInRequestSenseHowFarItIs() {
        begin(overwrite(5), list(4, 1));
        int before = -1;
        int told = 0;
        while (task.completions() == 0) {
            byte[] sense = initiator
                    .send(CdbBuilder.cdb(ScsiCommand.REQUEST_SENSE).length(252))
                    .isGood()
                    .data();
            assertThat(sense[2] & 0x0f).isEqualTo(SenseKey.NOT_READY.code());
            assertThat(sense[12]).isEqualTo((byte) 0x04);
            assertThat(sense[13]).isEqualTo((byte) 0x1b);
            int progress = ByteBuffer.wrap(sense).getShort(16) & 0xffff;
            assertThat(progress).isGreaterThanOrEqualTo(before);
            told += progress > before ? 1 : 0;
            before = progress;
            lane.runOne();
        }
        assertThat(told).as("different values").isGreaterThan(8);
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldAnswerAtOnceWhenAskedToAndGoOn() {
        dirty();
        begin(overwrite(5).set(1, IMMED), list(1, 1));
        assertThat(task.completions()).isEqualTo(1);
        task.answer().isGood();
        assertThat(backend.content()).contains('a');
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.SANITIZE_IN_PROGRESS);
        runAll();
        assertThat(backend.content()).containsOnly(1);
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldGoOnWhenItsTaskIsAbortedItsNexusEndsAndTheUnitIsReset() {
        dirty();
        begin(overwrite(5), list(1, 1));
        task.abort();
        while (task.completions() == 0) {
            assertThat(lane.runOne()).isTrue();
        }
        assertThat(backend.content()).as("the task ends before its work does").contains('a');
        task.nexus().end();
        unit.reset();
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.LOGICAL_UNIT_RESET);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.SANITIZE_IN_PROGRESS);
        runAll();
        assertThat(backend.content()).containsOnly(1);
        assertThat(task.completions()).isEqualTo(1);
    }

    @Test
    void shouldWaitForCommandsThatRun() {
        TestLane others = TestLane.held();
        TestTask write =
                new TestTask(new Nexus("iqn.x:other,i,0x1", "t", 1), new FixedLunView(Map.of(0, unit)), others);
        write.start(unit, CdbBuilder.cdb(ScsiCommand.TEST_UNIT_READY).bytes(), null);
        write.start(unit, CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[BLOCK]);
        begin(overwrite(5), list(1, 1));
        runAll();
        assertThat(task.completions()).as("it waits for the write").isZero();
        while (others.runOne()) {
            // the write ends
        }
        runAll();
        assertThat(task.completions()).isEqualTo(1);
        assertThat(backend.content()).containsOnly(1);
    }

    @Test
    void shouldEndEarlyWhenTheUnitIsTakenAway() {
        begin(overwrite(5).set(1, IMMED), list(1, 1));
        lane.runOne();
        lane.runOne();
        AtomicBoolean away = new AtomicBoolean();
        unit.retire(() -> away.set(true));
        assertThat(away).isFalse();
        runAll();
        assertThat(away).as("its backend can be closed").isTrue();
        assertThat(backend.operations()).doesNotContain("flush");
        assertThat(unit.ranges().isIdle()).isTrue();
    }

    @Test
    void shouldGoOnWhenOneOfTwoClientsLosesTheUnit() {
        dirty();
        MappedLuns one = new MappedLuns();
        MappedLuns other = new MappedLuns();
        Map<Integer, MappedLuns.Mapped> units = Map.of(0, new MappedLuns.Mapped(unit, false));
        one.show(units, () -> {});
        other.show(units, () -> {});
        begin(overwrite(5).set(1, IMMED), list(1, 1));
        lane.runOne();
        lane.runOne();
        AtomicBoolean settled = new AtomicBoolean();
        other.show(Map.of(), () -> settled.set(true));
        assertThat(settled).as("it is nothing of that client's").isTrue();
        runAll();
        assertThat(backend.content()).containsOnly(1);
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldAnswerWhoeverWaitsWhenTheUnitIsTakenAwayAndBeginNothingMore() {
        begin(overwrite(5), list(1, 1));
        AtomicBoolean away = new AtomicBoolean();
        unit.retire(() -> away.set(true));
        assertThat(away).as("it counts from before its first piece").isFalse();
        runAll();
        assertThat(away).isTrue();
        task.answer().failsWith(SenseCode.SANITIZE_IN_PROGRESS);
        assertThat(backend.operations()).isEmpty();
        LogicalUnit gone = Initiator.unit(new TestBackend(BYTES));
        gone.retire(() -> {});
        Initiator late = Initiator.of(gone);
        late.send(overwrite(5), list(1, 1)).failsWith(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        late.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    // ---- when its record cannot be kept

    /** Fails where it is told to. */
    private static final class FailingDisk implements DurableFile.Disk {
        boolean syncsDirectories = true;
        boolean deletes = true;

        @Override
        public void write(Path path, byte[] content) throws IOException {
            DurableFile.REAL.write(path, content);
        }

        @Override
        public void sync(Path path) throws IOException {
            if (!syncsDirectories && Files.isDirectory(path)) {
                throw new IOException("the directory cannot be synced");
            }
            DurableFile.REAL.sync(path);
        }

        @Override
        public void rename(Path from, Path to) throws IOException {
            DurableFile.REAL.rename(from, to);
        }

        @Override
        public void delete(Path path) throws IOException {
            if (!deletes) {
                throw new IOException("it cannot be deleted");
            }
            DurableFile.REAL.delete(path);
        }
    }

    @Test
    void shouldLetNobodyWriteWhatTheNextStartWouldErase() throws IOException {
        FailingDisk disk = new FailingDisk();
        Initiator client = Initiator.of(LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
                .sanitizing(FileSanitizeStore.open(dir, Initiator.UNIT_UUID, disk))
                .build());
        client.send(ScsiCommand.TEST_UNIT_READY);
        disk.deletes = false;
        client.send(overwrite(5), list(1, 1)).failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        client.send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[BLOCK])
                .failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        client.send(ScsiCommand.SANITIZE_EXIT_FAILURE_MODE).failsWith(SenseCode.INTERNAL_TARGET_FAILURE);
        client.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        disk.deletes = true;
        client.send(ScsiCommand.SANITIZE_EXIT_FAILURE_MODE).isGood();
        client.send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[BLOCK])
                .isGood();
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void shouldTakeBackARecordThatMayBeThere() throws IOException {
        FailingDisk disk = new FailingDisk();
        Initiator client = Initiator.of(LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
                .sanitizing(FileSanitizeStore.open(dir, Initiator.UNIT_UUID, disk))
                .build());
        client.send(ScsiCommand.TEST_UNIT_READY);
        disk.syncsDirectories = false;
        client.send(overwrite(5), list(1, 1)).failsWith(SenseCode.INTERNAL_TARGET_FAILURE);
        assertThat(backend.operations()).isEmpty();
        client.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        disk.syncsDirectories = true;
        client.send(ScsiCommand.SANITIZE_EXIT_FAILURE_MODE).isGood();
        client.send(ScsiCommand.TEST_UNIT_READY).isGood();
        assertThat(dir).isEmptyDirectory();
    }

    // ---- when it fails

    @Test
    void shouldRefuseCommandsAfterAFailureUntilItSucceeds() {
        backend.failWith(BlockError.Kind.MEDIUM);
        initiator.send(overwrite(5), list(1, 1)).failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        backend.failNoMore();
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        initiator.send(ScsiCommand.INQUIRY).isGood();
        initiator.send(ScsiCommand.SANITIZE_EXIT_FAILURE_MODE).complainsOfCdbByte(1);
        // Nor is there a way round: to sanitize again, this time with leave to fail.
        initiator.send(blockErase().set(1, AUSE)).complainsOfCdbByte(1);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        initiator.send(blockErase()).isGood();
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldPutUpWithAFailureIfThatWasAllowed() {
        backend.failWith(BlockError.Kind.NO_SPACE);
        initiator.send(overwrite(5).set(1, AUSE), list(1, 1)).failsWith(SenseCode.SANITIZE_COMMAND_FAILED);
        backend.failNoMore();
        initiator.send(ScsiCommand.SANITIZE_EXIT_FAILURE_MODE).isGood();
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldDoNothingInFailureModeThatIsNotThere() {
        initiator.send(ScsiCommand.SANITIZE_EXIT_FAILURE_MODE).isGood();
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.SANITIZE_EXIT_FAILURE_MODE).set(8, 8), new byte[8])
                .complainsOfCdbByte(8);
    }

    // ---- the server ends

    private LogicalUnit served(TestBackend disk) throws IOException {
        return LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), disk)
                .sanitizing(FileSanitizeStore.open(dir, Initiator.UNIT_UUID))
                .build();
    }

    @Test
    void shouldGoOnAfterARestartAndLetNobodyReadBefore() throws IOException {
        dirty();
        LogicalUnit first = served(backend);
        TestTask held = new TestTask(new Nexus("iqn.x:a,i,0x1", "t", 1), new FixedLunView(Map.of(0, first)), lane);
        held.start(first, CdbBuilder.cdb(ScsiCommand.TEST_UNIT_READY).bytes(), null);
        held.start(first, overwrite(7).set(1, IMMED).bytes(), list(1, 7, 8, 9));
        while (held.completions() == 0) {
            assertThat(lane.runOne()).isTrue();
        }
        held.answer().isGood();
        // It dies here.
        LogicalUnit second = served(backend);
        Initiator after = Initiator.of(second);
        after.send(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1)).failsWith(SenseCode.SANITIZE_IN_PROGRESS);
        second.resumeSanitizing(TestLane.direct());
        assertThat(after.send(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1))
                        .isGood()
                        .data())
                .startsWith(7, 8, 9, 7);
        assertThat(dir).as("nothing is kept of what is done").isEmptyDirectory();
        Initiator.of(served(backend)).send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldNameARecordThatIsDamaged() throws IOException {
        FileSanitizeStore.open(dir, Initiator.UNIT_UUID)
                .begun(new SanitizeRequest(SanitizeRequest.Method.OVERWRITE, 3, true, false, new byte[] {1, 2}));
        Path file = dir.resolve(Initiator.UNIT_UUID + ".sanitize");
        assertThat(FileSanitizeStore.open(dir, Initiator.UNIT_UUID).pending())
                .isEqualTo(new SanitizeRequest(SanitizeRequest.Method.OVERWRITE, 3, true, false, new byte[] {1, 2}));
        List<String> lines = Files.readAllLines(file);
        Files.write(file, lines.subList(0, lines.size() - 1));
        assertThatThrownBy(() -> FileSanitizeStore.open(dir, Initiator.UNIT_UUID))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString());
    }
}
