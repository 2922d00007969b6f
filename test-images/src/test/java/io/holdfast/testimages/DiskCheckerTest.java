package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The way from an image to a verdict, on small ext4 images made by mke2fs. What the verdict is: {@link RingCheckTest}. */
class DiskCheckerTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int RECORDS = 20;

    @TempDir
    Path folder;

    private final AckLedger ledger = new AckLedger();
    private Path tree;

    @BeforeEach
    void writeAndAcknowledge() throws IOException {
        tree = Files.createDirectories(folder.resolve("tree"));
        Path data = tree.resolve("data");
        Files.createDirectories(data.resolve("w3.d"));
        for (int writer : new int[] {0, 3}) {
            WriterRing ring = new WriterRing(writer);
            for (int sequence = 1; sequence <= RECORDS; sequence++) {
                ledger.acknowledge(new GuestLine.Ack(writer, sequence, 0, 0), sequence);
                byte[] record = new GuestRecord(writer, sequence, ring.slots(), ring.mode(), 0).encode();
                if (ring.slotsAreFiles()) {
                    Files.write(data.resolve(ring.name()).resolve(Integer.toString(ring.slotOf(sequence))), record);
                } else {
                    try (RandomAccessFile file =
                            new RandomAccessFile(data.resolve(ring.name()).toFile(), "rw")) {
                        file.seek((long) ring.slotOf(sequence) * GuestRecord.SIZE_BYTES);
                        file.write(record);
                    }
                }
            }
        }
    }

    private Path image() throws Exception {
        Path image = folder.resolve("disk.img");
        ToolRun run = ToolRun.of(
                LIMIT,
                List.of(
                        "/sbin/mke2fs",
                        "-q",
                        "-F",
                        "-t",
                        "ext4",
                        "-b",
                        "4096",
                        "-d",
                        tree.toString(),
                        image.toString(),
                        "16M"));
        assertThat(run.exitCode()).as(run.output()).isZero();
        return image;
    }

    @Test
    void shouldWorkInAFolderWithASpaceInItsName() throws Exception {
        Path work = Files.createDirectory(folder.resolve("a folder"));
        assertThat(DiskChecker.check(image(), ledger, work).intact()).isTrue();
    }

    @Test
    void shouldFindAllRecordsOnASoundDisk() throws Exception {
        DiskReport report = DiskChecker.check(image(), ledger);
        assertThat(report).isEqualTo(new DiskReport(2 * RECORDS, 2 * RECORDS, 0, 0, 0, "", List.of()));
        assertThat(report.intact()).isTrue();
    }

    @Test
    void shouldFindTheFileSystemInTheFirstPartition() throws Exception {
        Path partition = image();
        Path disk = folder.resolve("partitioned.img");
        int startSector = 2048;
        long sizeBytes = Files.size(partition);
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
            ByteBuffer entry = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
            entry.put(4, (byte) 0x83).putInt(8, startSector).putInt(12, (int) (sizeBytes / 512));
            file.seek(0x1be);
            file.write(entry.array());
            file.seek(0x1fe);
            file.write(new byte[] {0x55, (byte) 0xaa});
            file.seek(startSector * 512L);
            file.write(Files.readAllBytes(partition));
        }
        DiskReport report = DiskChecker.check(disk, ledger);
        assertThat(report.intact()).as("%s", report).isTrue();
        assertThat(report.checked()).isEqualTo(2 * RECORDS);
    }

    @Test
    void shouldFindRecordsThatAreNotThere() throws Exception {
        Files.delete(tree.resolve("data/w0.log"));
        Files.delete(tree.resolve("data/w3.d/7"));
        DiskReport report = DiskChecker.check(image(), ledger);
        assertThat(report.lost()).isEqualTo(RECORDS + 1);
        assertThat(report.intact()).isFalse();
        assertThat(report.examples()).hasSize(10).first().asString().contains("writer 0 slot 1 is empty");
    }

    @Test
    void shouldFindTornRecords() throws Exception {
        try (RandomAccessFile file =
                new RandomAccessFile(tree.resolve("data/w0.log").toFile(), "rw")) {
            file.seek(3L * GuestRecord.SIZE_BYTES + 2000);
            file.write(new byte[100]);
        }
        Files.write(tree.resolve("data/w3.d/8"), new byte[0]);
        DiskReport report = DiskChecker.check(image(), ledger);
        assertThat(report.torn()).isEqualTo(2);
        assertThat(report.examples())
                .containsExactly(
                        "writer 0 slot 3 holds no intact record, record 3 was acknowledged",
                        "writer 3 slot 8 holds no intact record, record 8 was acknowledged");
    }

    @Test
    void shouldComplainOfADamagedFileSystemAndStillLookForRecords() throws Exception {
        Path image = image();
        ToolRun run = ToolRun.of(
                LIMIT,
                List.of("/sbin/debugfs", "-w", "-R", "set_inode_field data/w0.log links_count 5", image.toString()));
        assertThat(run.exitCode()).isZero();
        DiskReport report = DiskChecker.check(image, ledger);
        assertThat(report.fileSystemComplaint()).isNotEmpty();
        assertThat(report.intact()).isFalse();
        assertThat(report.lost()).isZero();
    }

    @Test
    void shouldLeaveTheImageAsItIs() throws Exception {
        Path image = image();
        Path before = Files.copy(image, folder.resolve("before.img"));
        DiskChecker.check(image, ledger);
        assertThat(Files.mismatch(image, before)).isEqualTo(-1);
    }

    @Test
    void shouldSayThatThereIsNoGuestDisk() throws Exception {
        Path noise = Files.write(folder.resolve("noise.img"), new byte[1 << 20]);
        assertThatThrownBy(() -> DiskChecker.check(noise, ledger))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no /data");
    }
}
