package io.holdfast.iscsi;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;
import java.util.Locale;

/** How sockets and files are served. Chosen once, at start. */
public enum IoWay {
    /** io_uring: file reads on the same ring as the sockets. */
    RING,
    /** epoll, reads that do not block in place, and a small pool for the rest. */
    PORTABLE;

    /**
     * The better one of those this machine has. Not the ring although it is the more modern one: the kernel closes a killed
     * server's connections later when it has rings to take apart, and guests are frozen that much later.
     */
    public static IoWay best() {
        return Epoll.isAvailable() ? PORTABLE : RING;
    }

    /** Why this way cannot be taken here, for people; empty if it can. */
    public String obstacle() {
        Throwable cause = switch (this) {
            case RING -> IoUring.isAvailable() ? null : IoUring.unavailabilityCause();
            case PORTABLE -> Epoll.isAvailable() ? null : Epoll.unavailabilityCause();
        };
        return cause == null ? "" : String.valueOf(cause.getMessage());
    }

    /** As settings write it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
