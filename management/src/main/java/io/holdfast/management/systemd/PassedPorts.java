package io.holdfast.management.systemd;

import io.holdfast.linux.PassedSockets;
import io.holdfast.net.Addresses;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.Socket;
import io.netty.channel.uring.IoUring;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listening sockets that were passed to us, by the address they listen at: the settings say what is served where, and a
 * socket that fits a setting is used instead of a new one. Used by one thread, at start.
 */
public final class PassedPorts {
    private static final Logger LOG = LoggerFactory.getLogger(PassedPorts.class);

    private record Port(InetSocketAddress address, PassedSockets.Passed socket) {}

    private final List<Port> unused = new ArrayList<>();

    private PassedPorts() {}

    /** None. */
    public static PassedPorts none() {
        return new PassedPorts();
    }

    /**
     * Those of this process.
     *
     * @throws IOException if one was announced and is not there, or is no listening TCP socket
     */
    public static PassedPorts fromEnvironment() throws IOException {
        PassedPorts ports = new PassedPorts();
        List<PassedSockets.Passed> sockets = PassedSockets.fromEnvironment();
        // Either loads the native library that is asked for the address.
        if (!sockets.isEmpty() && !Epoll.isAvailable() && !IoUring.isAvailable()) {
            throw new IOException("the service manager passed sockets, and neither epoll nor io_uring can be used: "
                    + Epoll.unavailabilityCause());
        }
        for (PassedSockets.Passed socket : sockets) {
            InetSocketAddress address = new Socket(socket.fd()).localAddress();
            if (address == null || address.getPort() == 0) {
                throw new IOException("the socket " + socket.name() + " (descriptor " + socket.fd()
                        + ") that the service manager passed listens at no TCP port: correct its ListenStream=");
            }
            ports.unused.add(new Port(address, socket));
        }
        return ports;
    }

    /** The descriptor of the socket at an address, which is the caller's from then on. */
    public OptionalInt take(InetSocketAddress address) {
        for (Port port : unused) {
            if (fits(port.address(), address)) {
                unused.remove(port);
                LOG.info(
                        "{}: the socket {} of the service manager",
                        Addresses.print(address),
                        port.socket().name());
                return OptionalInt.of(port.socket().fd());
            }
        }
        return OptionalInt.empty();
    }

    private static boolean fits(InetSocketAddress passed, InetSocketAddress wanted) {
        // ListenStream=3260 is every address of both families, whichever way the setting writes "every".
        boolean everywhere =
                passed.getAddress().isAnyLocalAddress() && wanted.getAddress().isAnyLocalAddress();
        return passed.getPort() == wanted.getPort()
                && (everywhere || passed.getAddress().equals(wanted.getAddress()));
    }

    /** Says which were not taken: who connects there waits in vain. */
    public void reportUnused() {
        for (Port port : unused) {
            LOG.warn(
                    "the service manager listens at {} ({}) for us, and no setting names that address: nobody answers there",
                    Addresses.print(port.address()),
                    port.socket().name());
        }
    }
}
