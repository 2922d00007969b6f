package io.holdfast.testimages;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's end of the guest's virtio-serial port: feeds a {@link GuestReport} from a thread of its own, and sends the
 * workload its commands. QEMU listens on the socket; see {@link #qemuArguments}.
 */
public final class GuestPort implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(GuestPort.class);
    private static final int BUFFER_BYTES = 64 * 1024;

    private final SocketChannel channel;
    private final GuestReport report;
    private final StringBuilder partial = new StringBuilder();

    private GuestPort(SocketChannel channel, GuestReport report) {
        this.channel = channel;
        this.report = report;
    }

    /** What QEMU must be told so that the guest has the port and QEMU listens on {@code socket}. */
    public static String[] qemuArguments(Path socket) {
        return new String[] {
            "-device",
            "virtio-serial-pci",
            "-chardev",
            "socket,id=guest-port,server=on,wait=off,path=" + socket,
            "-device",
            "virtserialport,chardev=guest-port,name=io.holdfast.guest"
        };
    }

    /**
     * Connects to QEMU's socket. The guest keeps what it has to say until somebody listens.
     *
     * @throws IOException when nobody listens there
     */
    public static GuestPort connect(Path socket, GuestReport report) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        GuestPort port = new GuestPort(channel, report);
        Thread reader = new Thread(port::read, "guest-port");
        reader.setDaemon(true);
        reader.start();
        return port;
    }

    /** Asks the writers to end; each says {@code stopped} after its current record. */
    public void stopWriters() throws IOException {
        send("stop");
    }

    /** Asks for the guest's own count of errors and kernel messages. */
    public void askForSummary() throws IOException {
        send("report");
    }

    /** Asks the guest to sync and power off. */
    public void powerOff() throws IOException {
        send("poweroff");
    }

    private void send(String command) throws IOException {
        ByteBuffer bytes = StandardCharsets.US_ASCII.encode(command + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
        try {
            while (channel.read(buffer) >= 0) {
                long now = System.nanoTime();
                split(buffer.flip(), now);
                buffer.clear();
            }
        } catch (IOException e) {
            // Closed by us, or QEMU was killed: either way the guest says no more.
            LOG.debug("guest port closed: {}", e.toString());
        } finally {
            report.end();
        }
    }

    private void split(ByteBuffer bytes, long receivedNanos) {
        while (bytes.hasRemaining()) {
            char character = (char) (bytes.get() & 0xff);
            if (character == '\n') {
                report.accept(partial.toString(), receivedNanos);
                partial.setLength(0);
            } else {
                partial.append(character);
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
