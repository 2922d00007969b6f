package io.holdfast.testimages;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.io.file.PathUtils;

/**
 * Reads a guest's disk after the guest has ended, by whatever end, and says whether every record it was told is durable
 * is there. Works on a copy: the image itself is only read. Needs e2fsck and debugfs, no root and no loop device.
 */
public final class DiskChecker {
    private static final Duration TOOL_LIMIT = Duration.ofMinutes(2);
    private static final int MOST_EXAMPLES = 10;

    /** e2fsck(8): 1 is "errors corrected", which for {@code -p} includes the journal's replay. */
    private static final int E2FSCK_CORRECTED = 1;

    private static final int SECTOR_BYTES = 512;
    private static final int FIRST_PARTITION = 0x1be;
    private static final int BOOT_SIGNATURE = 0x1fe;

    private DiskChecker() {}

    /**
     * Checks an image, either a bare ext4 file system or a disk with one in its first partition.
     *
     * @throws IOException when the image cannot be read at all
     */
    public static DiskReport check(Path image, AckLedger ledger) throws IOException, InterruptedException {
        return check(image, ledger, Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
    }

    /**
     * The same with the copy below {@code workParent}, for a caller that is interrupted: what it finds there it can
     * delete.
     */
    public static DiskReport check(Path image, AckLedger ledger, Path workParent)
            throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(workParent, "holdfast-check");
        try {
            Path copy = work.resolve("root.img");
            copyFileSystem(image, copy);
            String complaint = replayAndCheck(copy);
            Path data = extract(copy, work);
            return judge(ledger, data, complaint);
        } finally {
            PathUtils.deleteDirectory(work);
        }
    }

    private static void copyFileSystem(Path image, Path copy) throws IOException {
        byte[] first = new byte[SECTOR_BYTES];
        long size = Files.size(image);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
            file.readFully(first);
        }
        boolean partitioned = first[BOOT_SIGNATURE] == 0x55 && first[BOOT_SIGNATURE + 1] == (byte) 0xaa;
        long offset = partitioned ? SECTOR_BYTES * littleEndian(first, FIRST_PARTITION + 8) : 0;
        long length = partitioned ? SECTOR_BYTES * littleEndian(first, FIRST_PARTITION + 12) : size;
        if (offset + length > size) {
            throw new IOException("the first partition of " + image + " ends at byte " + (offset + length)
                    + ", the image at " + size);
        }
        SparseFiles.copy(image, offset, length, copy);
    }

    private static long littleEndian(byte[] bytes, int at) {
        return (bytes[at] & 0xffL)
                | (bytes[at + 1] & 0xffL) << 8
                | (bytes[at + 2] & 0xffL) << 16
                | (bytes[at + 3] & 0xffL) << 24;
    }

    /**
     * What a kernel does at the next mount is no complaint: the journal is replayed, files that were deleted while open
     * are let go. What a full check finds wrong after that is one.
     */
    private static String replayAndCheck(Path copy) throws IOException, InterruptedException {
        ToolRun preen = e2fsck("-p", copy);
        ToolRun check = e2fsck("-fn", copy);
        if (preen.exitCode() <= E2FSCK_CORRECTED && check.exitCode() == 0) {
            return "";
        }
        // Mended as far as possible, so that the records can still be looked for.
        e2fsck("-fy", copy);
        return ("e2fsck -p ended with " + preen.exitCode() + ": " + preen.output() + "\ne2fsck -fn ended with "
                        + check.exitCode() + ": " + check.output())
                .strip();
    }

    private static ToolRun e2fsck(String how, Path copy) throws IOException, InterruptedException {
        return ToolRun.of(TOOL_LIMIT, List.of("/sbin/e2fsck", how, copy.toString()));
    }

    private static Path extract(Path copy, Path work) throws IOException, InterruptedException {
        ToolRun run =
                ToolRun.of(TOOL_LIMIT, List.of("/sbin/debugfs", "-R", "rdump /data \"" + work + "\"", copy.toString()));
        Path data = work.resolve("data");
        if (!Files.isDirectory(data)) {
            throw new IOException(
                    "no /data on the guest's disk: " + run.output().strip());
        }
        return data;
    }

    private static DiskReport judge(AckLedger ledger, Path data, String complaint) throws IOException {
        int checked = 0;
        int lost = 0;
        int torn = 0;
        int tornInFlight = 0;
        List<String> findings = new ArrayList<>();
        for (int writer : ledger.writers()) {
            WriterRing ring = new WriterRing(writer);
            RingCheck check = RingCheck.of(ring, ledger, readSlots(ring, data.resolve(ring.name())));
            checked += check.checked();
            lost += check.lost();
            torn += check.torn();
            tornInFlight += check.tornInFlight();
            findings.addAll(check.findings());
        }
        List<String> examples = List.copyOf(findings.subList(0, Math.min(MOST_EXAMPLES, findings.size())));
        return new DiskReport(ledger.acked(), checked, lost, torn, tornInFlight, complaint, examples);
    }

    private static Map<Integer, byte[]> readSlots(WriterRing ring, Path path) throws IOException {
        Map<Integer, byte[]> slots = new TreeMap<>();
        if (ring.slotsAreFiles() && Files.isDirectory(path)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(path, "[0-9]*")) {
                for (Path file : files) {
                    byte[] bytes = Files.readAllBytes(file);
                    slots.put(
                            Integer.parseInt(file.getFileName().toString()),
                            Arrays.copyOf(bytes, GuestRecord.SIZE_BYTES));
                }
            }
        } else if (Files.isRegularFile(path)) {
            byte[] bytes = Files.readAllBytes(path);
            for (int at = 0; at < bytes.length; at += GuestRecord.SIZE_BYTES) {
                byte[] slot = Arrays.copyOfRange(bytes, at, at + GuestRecord.SIZE_BYTES);
                if (!isHole(slot)) {
                    slots.put(at / GuestRecord.SIZE_BYTES, slot);
                }
            }
        }
        return slots;
    }

    private static boolean isHole(byte[] bytes) {
        for (byte value : bytes) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }
}
