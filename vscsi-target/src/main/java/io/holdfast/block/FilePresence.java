package io.holdfast.block;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the file that is served is still the one at its path, and how large it is now. An open file outlives its name: a
 * server would go on acknowledging writes to an image that its successor will not find, so nothing is served until the file
 * is back.
 *
 * <p>Any thread. {@link #look} may wait for the storage.
 */
final class FilePresence {
    private static final Logger LOG = LoggerFactory.getLogger(FilePresence.class);

    private final FileOpener.Opened opened;
    private final int granularityBytes;
    private final long least;
    private volatile long sizeBytes;
    private volatile @Nullable BlockError absent;

    /** @param granularityBytes what the size is rounded down to */
    FilePresence(FileOpener.Opened opened, int granularityBytes) {
        this.opened = opened;
        this.granularityBytes = granularityBytes;
        this.sizeBytes = opened.sizeBytes();
        // A logical unit has one block at least.
        this.least = Math.min(opened.sizeBytes(), 4096);
    }

    /** As seen last. */
    long sizeBytes() {
        return sizeBytes;
    }

    /** Why the file cannot be served, or null. */
    @Nullable
    BlockError absent() {
        return absent;
    }

    synchronized void look() {
        try {
            lookAtPath();
        } catch (IOException e) {
            // Neither there nor gone: a server of files that does not answer, mostly. The transfers will say it.
            LOG.debug("{} cannot be looked at", opened.path(), e);
        }
    }

    private void lookAtPath() throws IOException {
        String why = whyNotTheSame();
        if (why == null) {
            long now = opened.channel().size() / granularityBytes * granularityBytes;
            if (now < least) {
                why = opened.path() + " has " + now + " bytes left";
            } else {
                sizeBytes = now;
            }
        }
        BlockError before = absent;
        if (why == null) {
            if (before != null) {
                LOG.info("{} is back and served again", opened.path());
            }
            absent = null;
        } else if (before == null || !before.detail().equals(why)) {
            LOG.error(
                    "{}: it is not served until it is as it was; what was acknowledged is in the file that was opened",
                    why);
            absent = new BlockError(BlockError.Kind.UNREACHABLE, why);
        }
    }

    private @Nullable String whyNotTheSame() throws IOException {
        try {
            return FileIdentity.of(opened.path()).key().equals(opened.identity().key())
                    ? null
                    : opened.path() + " is another file than the one that was opened";
        } catch (NoSuchFileException | FileNotFoundException e) {
            return opened.path() + " is not there any more";
        } catch (FileSystemException e) {
            if ("Not a directory".equals(e.getReason())) {
                return opened.path() + " is not there any more";
            }
            throw e;
        }
    }
}
