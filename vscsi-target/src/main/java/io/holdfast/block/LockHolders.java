package io.holdfast.block;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Who locks a file, for the message to the operator whose image is in use. */
final class LockHolders {
    private static final Path LOCKS = Path.of("/proc/locks");
    private static final Path PROC = Path.of("/proc");
    private static final long OUR_PID = ProcessHandle.current().pid();

    /** QEMU says "I write" by a shared lock on this byte (block/file-posix.c: RAW_LOCK_PERM_BASE + the bit of WRITE). */
    private static final long QEMU_WRITER_BYTE = 101;

    // "1: POSIX  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"; a waiter has "->" after the number, and is no holder.
    private static final int FIELD_KIND = 3;
    private static final int FIELD_PID = 4;
    private static final int FIELD_FILE = 5;
    private static final int FIELD_START = 6;
    private static final int FIELD_END = 7;
    private static final int FIELDS = 8;

    private LockHolders() {}

    /** A sentence's worth: "process 1234 (qemu-system-x86)", or a guess if nothing can be found out. */
    static String describe(Path path, FileIdentity file) {
        Optional<Long> pid = locks(file).stream()
                .map(lock -> Long.parseLong(lock[FIELD_PID]))
                .filter(holder -> holder > 0 && holder != OUR_PID)
                .findFirst()
                // Locks of open file descriptions, such as QEMU's, carry no process: look for who has the file open.
                .or(() -> whoHasOpen(path));
        return pid.map(holder -> "process " + holder + " (" + command(holder) + ")")
                .orElse("another process, such as a second server or a QEMU that has it open");
    }

    /** True if somebody announced that he writes to the file, in a way that our shared lock does not collide with. */
    static boolean hasWriter(FileIdentity file) {
        return locks(file).stream().anyMatch(LockHolders::announcesWriter);
    }

    private static boolean announcesWriter(String[] lock) {
        if (Long.parseLong(lock[FIELD_PID]) == OUR_PID) {
            return false;
        }
        long start = Long.parseLong(lock[FIELD_START]);
        long end = lock[FIELD_END].equals("EOF") ? Long.MAX_VALUE : Long.parseLong(lock[FIELD_END]);
        // QEMU locks single bytes near the start; a shared lock of the whole file is another reader.
        return lock[FIELD_KIND].equals("WRITE")
                || (start > 0 && start <= QEMU_WRITER_BYTE && end >= QEMU_WRITER_BYTE && end != Long.MAX_VALUE);
    }

    private static List<String[]> locks(FileIdentity file) {
        List<String[]> locks = new ArrayList<>();
        try {
            String wanted = file.asInProcLocks();
            for (String line : Files.readAllLines(LOCKS)) {
                String[] fields = line.strip().split("\\s+", -1);
                if (fields.length == FIELDS && fields[FIELD_FILE].equals(wanted)) {
                    locks.add(fields);
                }
            }
        } catch (IOException e) {
            // Only a message gets poorer.
            return List.of();
        }
        return locks;
    }

    private static Optional<Long> whoHasOpen(Path path) {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            Path real = path.toRealPath();
            for (Path process : processes) {
                long pid = Long.parseLong(process.getFileName().toString());
                if (pid != OUR_PID && hasOpen(process, real)) {
                    return Optional.of(pid);
                }
            }
        } catch (IOException e) {
            // Only a message gets poorer.
            return Optional.empty();
        }
        return Optional.empty();
    }

    private static boolean hasOpen(Path process, Path real) {
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : descriptors) {
                if (Files.isSymbolicLink(descriptor)
                        && Files.readSymbolicLink(descriptor).equals(real)) {
                    return true;
                }
            }
        } catch (IOException e) {
            // It ended meanwhile, or belongs to somebody else.
            return false;
        }
        return false;
    }

    private static String command(long pid) {
        try {
            return Files.readString(PROC.resolve(pid + "/comm")).strip();
        } catch (IOException e) {
            return "ended meanwhile";
        }
    }
}
