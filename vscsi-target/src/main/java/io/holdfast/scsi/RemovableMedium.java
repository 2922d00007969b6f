package io.holdfast.scsi;

import java.util.HashSet;
import java.util.Set;

/**
 * The medium of a removable logical unit: whether it is there, and which nexuses keep it from being ejected. Ejected, it stays
 * where it is for the host, and initiators reach it again when one of them loads it, or at the next start. Thread-safe.
 */
final class RemovableMedium {
    private final Set<Nexus> preventing = new HashSet<>();
    private volatile boolean present = true;

    boolean present() {
        return present;
    }

    /** @return false if somebody prevents it, and nothing has been changed */
    synchronized boolean eject() {
        if (!preventing.isEmpty()) {
            return false;
        }
        present = false;
        return true;
    }

    /** @return false if somebody prevents it, and nothing has been changed */
    synchronized boolean load() {
        if (!preventing.isEmpty()) {
            return false;
        }
        present = true;
        return true;
    }

    synchronized boolean prevented() {
        return !preventing.isEmpty();
    }

    synchronized void prevent(Nexus nexus) {
        preventing.add(nexus);
    }

    /** Also when the nexus ends (SBC-3 §5.10). */
    synchronized void allow(Nexus nexus) {
        preventing.remove(nexus);
    }

    /** A reset of the logical unit: nobody prevents anything. The medium stays as it is. */
    synchronized void reset() {
        preventing.clear();
    }
}
