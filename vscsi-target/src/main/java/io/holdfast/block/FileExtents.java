package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;

/** Asks the file system where a file's data are (lseek(2), SEEK_DATA and SEEK_HOLE). For the pool: it may read the disk. */
final class FileExtents {
    /** What is taken for data where the file changes while it is looked at. */
    private static final long STEP_BYTES = 4096;

    private FileExtents() {}

    /** @param fd may be {@link OpenFile#NO_DESCRIPTOR}: then everything is data */
    static void look(int fd, long offset, long lengthBytes, Extents into) throws LinuxException {
        long end = offset + lengthBytes;
        if (fd == OpenFile.NO_DESCRIPTOR) {
            into.add(true, lengthBytes);
            return;
        }
        long at = offset;
        boolean room = true;
        while (at < end && room) {
            long data;
            try {
                data = Math.min(end, Linux.nextData(fd, at).orElse(end));
            } catch (LinuxException e) {
                if (!e.is(Errno.EINVAL) && BlockErrors.kindOf(e) != BlockError.Kind.UNSUPPORTED) {
                    throw e;
                }
                // A block device, or a file system that keeps no record.
                into.add(true, end - at);
                return;
            }
            room = into.add(false, data - at);
            at = data;
            if (data < end && room) {
                long hole = Math.min(end, Linux.nextHole(fd, data).orElse(end));
                // Punched in this moment: it must not be looked at for ever.
                at = Math.max(hole, Math.min(end, data + STEP_BYTES));
                room = into.add(true, at - data);
            }
        }
    }
}
