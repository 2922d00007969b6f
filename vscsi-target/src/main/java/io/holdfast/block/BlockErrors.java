package io.holdfast.block;

import static io.holdfast.block.BlockError.Kind.MEDIUM;
import static io.holdfast.block.BlockError.Kind.NO_SPACE;
import static io.holdfast.block.BlockError.Kind.OUT_OF_RANGE;
import static io.holdfast.block.BlockError.Kind.READ_ONLY;
import static io.holdfast.block.BlockError.Kind.UNREACHABLE;
import static io.holdfast.block.BlockError.Kind.UNSUPPORTED;

import io.holdfast.linux.Errno;
import io.holdfast.linux.LinuxException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Map;
import java.util.Optional;

/** The one place where what the system said becomes a {@link BlockError}. */
public final class BlockErrors {
    /** Whatever is not here is {@link BlockError.Kind#MEDIUM}: these bytes could not be read or written. */
    private static final Map<Errno, BlockError.Kind> KINDS = Map.ofEntries(
            Map.entry(Errno.ENOSPC, NO_SPACE),
            Map.entry(Errno.EDQUOT, NO_SPACE),
            Map.entry(Errno.EROFS, READ_ONLY),
            Map.entry(Errno.EPERM, READ_ONLY),
            Map.entry(Errno.EACCES, READ_ONLY),
            Map.entry(Errno.EOPNOTSUPP, UNSUPPORTED),
            Map.entry(Errno.ENOSYS, UNSUPPORTED),
            Map.entry(Errno.ENOTTY, UNSUPPORTED),
            Map.entry(Errno.ENOENT, UNREACHABLE),
            Map.entry(Errno.ENXIO, UNREACHABLE),
            Map.entry(Errno.ENODEV, UNREACHABLE),
            Map.entry(Errno.EBADF, UNREACHABLE),
            Map.entry(Errno.ENOLINK, UNREACHABLE),
            Map.entry(Errno.ESHUTDOWN, UNREACHABLE),
            Map.entry(Errno.ENOTCONN, UNREACHABLE),
            Map.entry(Errno.ETIMEDOUT, UNREACHABLE),
            Map.entry(Errno.ECONNREFUSED, UNREACHABLE),
            Map.entry(Errno.EHOSTDOWN, UNREACHABLE),
            Map.entry(Errno.EHOSTUNREACH, UNREACHABLE),
            Map.entry(Errno.ESTALE, UNREACHABLE),
            // The host is short of memory: the bytes are not damaged, and a retry may succeed.
            Map.entry(Errno.ENOMEM, UNREACHABLE),
            Map.entry(Errno.EAGAIN, UNREACHABLE));

    private BlockErrors() {}

    /** @param doing for people: {@code "read 4096 bytes at 0 of disk.img"} */
    public static BlockError of(String doing, IOException cause) {
        return new BlockError(kindOf(cause), doing + ": " + reasonOf(cause));
    }

    /** For who says himself what he was doing. */
    static BlockError of(IOException cause) {
        return new BlockError(kindOf(cause), reasonOf(cause));
    }

    static BlockError.Kind kindOf(IOException cause) {
        if (cause instanceof ClosedChannelException) {
            return UNREACHABLE;
        }
        return errnoOf(cause).map(errno -> KINDS.getOrDefault(errno, MEDIUM)).orElse(MEDIUM);
    }

    private static Optional<Errno> errnoOf(IOException cause) {
        if (cause instanceof LinuxException linux) {
            return Errno.ofNumber(linux.errno());
        }
        // FileChannel keeps nothing of the errno but the C library's text.
        return Optional.ofNullable(cause.getMessage()).flatMap(Errno::ofText);
    }

    private static String reasonOf(IOException cause) {
        if (cause instanceof ClosedChannelException) {
            return "the file is closed here"; // the exception carries no message
        }
        String message = cause.getMessage();
        return message != null ? message : cause.getClass().getSimpleName();
    }

    /** A range that reaches beyond the end. */
    static BlockError outOfRange(String doing, long offset, long lengthBytes, long sizeBytes) {
        return new BlockError(
                OUT_OF_RANGE, doing + " " + lengthBytes + " bytes at " + offset + ": the end is at " + sizeBytes);
    }

    static BlockError readOnly(String what) {
        return new BlockError(READ_ONLY, what + " is read-only");
    }
}
