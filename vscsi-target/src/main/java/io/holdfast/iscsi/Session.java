package io.holdfast.iscsi;

import io.holdfast.scsi.LunView;
import io.holdfast.scsi.Nexus;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A session in full feature phase: what was agreed on, the order of its commands, and for a normal session the nexus and
 * what it sees. Owned by the connection's event loop.
 */
final class Session {
    private final SessionParameters agreed;
    private final CommandWindow window;
    private final SessionEvents.Session info;
    private final @Nullable Nexus nexus;
    private final @Nullable LunView luns;

    private final TaskOrder order = new TaskOrder();

    /** A normal session. */
    Session(SessionParameters agreed, CommandWindow window, SessionEvents.Session info, Nexus nexus, LunView luns) {
        this.agreed = agreed;
        this.window = window;
        this.info = info;
        this.nexus = nexus;
        this.luns = luns;
    }

    /** A discovery session. */
    Session(SessionParameters agreed, CommandWindow window, SessionEvents.Session info) {
        this.agreed = agreed;
        this.window = window;
        this.info = info;
        this.nexus = null;
        this.luns = null;
    }

    SessionParameters agreed() {
        return agreed;
    }

    CommandWindow window() {
        return window;
    }

    SessionEvents.Session info() {
        return info;
    }

    /** Who of its tasks waits for whom. */
    TaskOrder order() {
        return order;
    }

    /** Discovery sessions execute nothing. */
    boolean isDiscovery() {
        return nexus == null;
    }

    Nexus nexus() {
        return Objects.requireNonNull(nexus, "a discovery session has no nexus");
    }

    LunView luns() {
        return Objects.requireNonNull(luns, "a discovery session sees no logical units");
    }
}
