package io.holdfast.management;

import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent sleeps until an outage, and again until its end: what it then needs must not have been taken for unused and
 * thrown out of memory meanwhile.
 */
final class LockedMemory {
    private static final Logger LOG = LoggerFactory.getLogger(LockedMemory.class);

    private LockedMemory() {}

    /** Keeps this process's memory where it is, if it may; it works without as well. Binds the native library. */
    static void keep() {
        try {
            Linux.lockMemory();
        } catch (LinuxException e) {
            LOG.info(
                    "memory is not locked: {}; after long quiet, a freeze may take some milliseconds longer"
                            + " (LimitMEMLOCK=infinity in a unit, 'ulimit -l unlimited' by hand)",
                    e.getMessage());
        }
    }
}
