package io.holdfast.management;

import io.holdfast.block.FileBackend;
import io.holdfast.linux.FileFailure;
import io.holdfast.linux.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An image that a start has made, when that start has failed. */
final class CreatedImage {
    private static final Logger LOG = LoggerFactory.getLogger(CreatedImage.class);

    private CreatedImage() {}

    /**
     * Removes an image that was created by opening it, if nobody has written to it since. To be called while it is open: its
     * lock keeps other servers from it.
     *
     * @return whether it was removed
     */
    static boolean remove(Path path, FileBackend backend) {
        if (!backend.created()) {
            return false;
        }
        try {
            if (!isOneHole(path)) {
                LOG.warn(
                        "{} was created by this start, which failed; it is kept, because it has been written to", path);
                return false;
            }
            Files.delete(path);
            // All is as it was before: the error that made the start fail is the one line to read.
            LOG.debug("{} was created by this start, which failed; it is removed", path);
            return true;
        } catch (IOException e) {
            LOG.warn(
                    "{} was created by this start, which failed; it cannot be removed: {}",
                    path,
                    FileFailure.inWords(e));
            return false;
        }
    }

    private static boolean isOneHole(Path path) throws IOException {
        int fd = Linux.open(path, Linux.O_RDONLY);
        try {
            return Linux.nextData(fd, 0).isEmpty();
        } finally {
            Linux.close(fd);
        }
    }
}
