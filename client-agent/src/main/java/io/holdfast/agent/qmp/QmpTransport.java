package io.holdfast.agent.qmp;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A byte stream to a monitor: a UNIX socket, or memory in a rehearsal. */
public interface QmpTransport extends Closeable {

    /** Makes transports. */
    @FunctionalInterface
    interface Connector {
        /** May block. */
        QmpTransport connect(Path socket) throws IOException;
    }

    /**
     * Reads what is there. Called by one thread.
     *
     * @return number of bytes, -1 at the end, 0 if nothing came for about {@link #READ_PATIENCE_MS}
     */
    int read(ByteBuffer into) throws IOException;

    /** Writes all of it. Called by one thread, not necessarily the reading one. */
    void write(ByteBuffer bytes) throws IOException;

    /** The process that listens on the other side, or 0 if that cannot be told. */
    int peerPid();

    /** How long {@link #read} waits for a byte. */
    int READ_PATIENCE_MS = 500;
}
