package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Boots the real guest in QEMU on a plain file. */
@Timeout(120)
class GuestBootIT {
    private static final Logger LOG = LoggerFactory.getLogger(GuestBootIT.class);
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(60);
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int ENOUGH_RECORDS = 400;

    private static GuestImages images;

    @TempDir
    Path folder;

    @BeforeAll
    static void buildImages() throws Exception {
        images = GuestImages.build();
    }

    private List<String> kernel(String rootDevice, String... more) {
        String commandLine = GuestImages.kernelCommandLine(rootDevice) + " " + String.join(" ", more);
        return List.of(
                "-kernel",
                images.kernel().toString(),
                "-initrd",
                images.initrd().toString(),
                "-append",
                commandLine.strip());
    }

    private static void awaitRecords(QemuGuest guest, int records) throws Exception {
        GuestReport report = guest.report();
        report.await("the guest is ready", BOOT_LIMIT, heard -> heard.ready().isPresent());
        long bootNanos = report.ready().orElseThrow().receivedNanos() - guest.startedNanos();
        LOG.info("ready {} ms after the start of QEMU", bootNanos / 1_000_000);
        report.await(
                records + " records are acknowledged",
                LIMIT,
                heard -> heard.ledger().acked() >= records);
    }

    @ParameterizedTest
    @CsvSource({"virtio-blk-pci,/dev/vda", "scsi-hd,/dev/sda"})
    void shouldKeepEveryAcknowledgedRecordWhenItIsStopped(String device, String rootDevice) throws Exception {
        Path disk = images.copyRoot(folder.resolve("disk.img"));
        try (QemuGuest guest = new QemuGuest(folder, kernel(rootDevice), disk, device)) {
            awaitRecords(guest, ENOUGH_RECORDS);
            GuestReport report = guest.report();
            guest.port().stopWriters();
            report.await("the writers have stopped", LIMIT, GuestReport::allStopped);
            guest.port().askForSummary();
            report.await(
                    "the guest has summed up", LIMIT, heard -> heard.summary().isPresent());
            guest.port().powerOff();
            assertThat(guest.awaitEnd(LIMIT)).isZero();

            assertThat(report.ready().orElseThrow().line().device()).isEqualTo(rootDevice);
            String bootId = report.ready().orElseThrow().line().bootId();
            assertThat(report.summary()).contains(new GuestLine.Summary(0, 0, false, bootId));
            assertThat(report.garbled()).isEmpty();
            assertThat(report.ticks()).isPositive();
            report.stopped()
                    .forEach((writer, last) ->
                            assertThat(report.ledger().highestAcked(writer)).isEqualTo(last));
            assertThat(report.ledger().writers()).containsExactly(0, 1, 2, 3);
            DiskReport checked = DiskChecker.check(disk, report.ledger());
            assertThat(checked.intact()).as("%s", checked).isTrue();
        }
    }

    @Test
    void shouldKeepEveryAcknowledgedRecordWhenThePowerFailsAndGoOnAfterwards() throws Exception {
        Path disk = images.copyRoot(folder.resolve("disk.img"));
        AckLedger before;
        try (QemuGuest guest = new QemuGuest(folder, kernel("/dev/vda"), disk, "virtio-blk-pci")) {
            awaitRecords(guest, ENOUGH_RECORDS);
            guest.kill();
            before = guest.report().ledger();
        }
        DiskReport checked = DiskChecker.check(disk, before);
        assertThat(checked.intact()).as("%s", checked).isTrue();

        Files.delete(folder.resolve("guest-port"));
        try (QemuGuest guest = new QemuGuest(folder, kernel("/dev/vda"), disk, "virtio-blk-pci")) {
            awaitRecords(guest, ENOUGH_RECORDS);
            AckLedger after = guest.report().ledger();
            guest.kill();
            for (int writer : before.writers()) {
                assertThat(after.highestAcked(writer)).isGreaterThan(before.highestAcked(writer));
            }
            checked = DiskChecker.check(disk, after);
            assertThat(checked.intact()).as("%s", checked).isTrue();
        }
        checked = DiskChecker.check(disk, before);
        assertThat(checked.intact()).as("%s", checked).isTrue();
    }

    @Test
    void shouldFindTheLossOfARecordThatNeverReachedTheDisk() throws Exception {
        // The control run: proves that the check can fail on a real guest's disk.
        Path disk = images.copyRoot(folder.resolve("disk.img"));
        try (QemuGuest guest = new QemuGuest(folder, kernel("/dev/vda"), disk, "virtio-blk-pci")) {
            awaitRecords(guest, ENOUGH_RECORDS);
            guest.port().stopWriters();
            guest.report().await("the writers have stopped", LIMIT, GuestReport::allStopped);
            guest.port().powerOff();
            guest.awaitEnd(LIMIT);
            AckLedger ledger = guest.report().ledger();
            ledger.acknowledge(new GuestLine.Ack(0, ledger.highestAcked(0) + 1, 0, 0), System.nanoTime());
            DiskReport checked = DiskChecker.check(disk, ledger);
            assertThat(checked.lost()).isEqualTo(1);
            assertThat(checked.intact()).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({"virtio-blk-pci,/dev/vda1", "scsi-hd,/dev/sda1"})
    void shouldBootThroughSeaBiosFromItsDisk(String device, String rootDevice) throws Exception {
        Path disk = images.copyBios(folder.resolve("disk.img"));
        try (QemuGuest guest = new QemuGuest(folder, List.of(), disk, device)) {
            awaitRecords(guest, ENOUGH_RECORDS);
            guest.kill();
            GuestReport report = guest.report();
            assertThat(report.ready().orElseThrow().line().device()).isEqualTo(rootDevice);
            DiskReport checked = DiskChecker.check(disk, report.ledger());
            assertThat(checked.intact()).as("%s", checked).isTrue();
        }
    }

    @Test
    void shouldReportTheErrorsOfAReadOnlyDisk() throws Exception {
        Path disk = images.copyRoot(folder.resolve("disk.img"));
        try (QemuGuest guest = new QemuGuest(
                folder, kernel("/dev/vda", "rootflags=ro", "holdfast.writers=2"), disk, "virtio-blk-pci")) {
            GuestReport report = guest.report();
            report.await(
                    "a writer has failed", BOOT_LIMIT, heard -> heard.errors().size() >= 2);
            guest.port().askForSummary();
            report.await(
                    "the guest has summed up", LIMIT, heard -> heard.summary().isPresent());
            assertThat(report.ready().orElseThrow().line().writers()).isEqualTo(2);
            assertThat(report.summary().orElseThrow().remountedReadOnly()).isTrue();
            assertThat(report.errors().get(0).line().text()).contains("Read-only file system");
            assertThat(report.ledger().acked()).isZero();
        }
    }

    @Test
    void shouldBuildTheSameBytesTwice() throws Exception {
        Path script = GuestImages.checkout().resolve("test-images/build.sh");
        GuestImages again = GuestImages.build(script, folder.resolve("again"));
        assertThat(Files.mismatch(images.kernel(), again.kernel())).isEqualTo(-1);
        assertThat(Files.mismatch(images.initrd(), again.initrd())).isEqualTo(-1);
        assertThat(Files.mismatch(images.root(), again.root())).isEqualTo(-1);
        assertThat(Files.mismatch(images.bios(), again.bios())).isEqualTo(-1);
    }

    @Test
    void shouldBuildAgainWhenTheImagesAreStale() throws Exception {
        Path script = GuestImages.checkout().resolve("test-images/build.sh");
        GuestImages mine = GuestImages.build(script, folder.resolve("mine"));
        spoil(mine.root());
        Files.writeString(folder.resolve("mine/key"), "of other inputs\n");
        GuestImages rebuilt = GuestImages.build(script, folder.resolve("mine"));
        assertThat(Files.mismatch(images.root(), rebuilt.root())).isEqualTo(-1);
    }

    private static void spoil(Path image) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(1);
        }
    }
}
