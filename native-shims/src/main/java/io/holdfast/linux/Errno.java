package io.holdfast.linux;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The values of {@code errno} that callers decide by (errno(3); the numbers are those of x86-64 and aarch64), with the C
 * library's English text: the JDK's own exceptions carry nothing but that text.
 */
public enum Errno {
    EPERM(1, "Operation not permitted"),
    ENOENT(2, "No such file or directory"),
    EINTR(4, "Interrupted system call"),
    EIO(5, "Input/output error"),
    ENXIO(6, "No such device or address"),
    EBADF(9, "Bad file descriptor"),
    EAGAIN(11, "Resource temporarily unavailable"),
    ENOMEM(12, "Cannot allocate memory"),
    EACCES(13, "Permission denied"),
    EBUSY(16, "Device or resource busy"),
    ENODEV(19, "No such device"),
    EINVAL(22, "Invalid argument"),
    ENOTTY(25, "Inappropriate ioctl for device"),
    EFBIG(27, "File too large"),
    ENOSPC(28, "No space left on device"),
    EROFS(30, "Read-only file system"),
    ENOSYS(38, "Function not implemented"),
    ENODATA(61, "No data available"),
    ENOLINK(67, "Link has been severed"),
    EILSEQ(84, "Invalid or incomplete multibyte or wide character"),
    EOPNOTSUPP(95, "Operation not supported"),
    ESHUTDOWN(108, "Cannot send after transport endpoint shutdown"),
    ENOTCONN(107, "Transport endpoint is not connected"),
    ETIMEDOUT(110, "Connection timed out"),
    ECONNREFUSED(111, "Connection refused"),
    EHOSTDOWN(112, "Host is down"),
    EHOSTUNREACH(113, "No route to host"),
    ESTALE(116, "Stale file handle"),
    EUCLEAN(117, "Structure needs cleaning"),
    EREMOTEIO(121, "Remote I/O error"),
    EDQUOT(122, "Disk quota exceeded"),
    EHWPOISON(133, "Memory page has hardware error");

    private static final Map<Integer, Errno> BY_NUMBER =
            Stream.of(values()).collect(Collectors.toUnmodifiableMap(Errno::number, Function.identity()));
    private static final Map<String, Errno> BY_TEXT =
            Stream.of(values()).collect(Collectors.toUnmodifiableMap(Errno::text, Function.identity()));

    private final int number;
    private final String text;

    Errno(int number, String text) {
        this.number = number;
        this.text = text;
    }

    public int number() {
        return number;
    }

    /** What strerror(3) says in the C locale. */
    public String text() {
        return text;
    }

    public static Optional<Errno> ofNumber(int number) {
        return Optional.ofNullable(BY_NUMBER.get(number));
    }

    /** Looks up a text of the C library, such as the message of an exception of {@code FileChannel}. */
    public static Optional<Errno> ofText(String text) {
        return Optional.ofNullable(BY_TEXT.get(text));
    }
}
