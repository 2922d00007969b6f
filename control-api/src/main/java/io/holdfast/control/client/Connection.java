package io.holdfast.control.client;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** An open connection, whatever it is made of. */
record Connection(InputStream in, OutputStream out, Closeable socket) implements Closeable {
    @Override
    public void close() throws IOException {
        socket.close();
    }
}
