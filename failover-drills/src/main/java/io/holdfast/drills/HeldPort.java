package io.holdfast.drills;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A listening socket on the loopback that outlives the program that serves it, as systemd holds it for a service with a
 * socket unit: whoever connects while the program is dead waits, and is not refused.
 *
 * <p>This process holds it and never accepts. Java gives no descriptor to a child, so the child fetches it
 * (pidfd_getfd(2)) before it becomes the program that was asked for. That needs root, or a kernel without Yama.
 */
final class HeldPort implements AutoCloseable {
    private static final int BACKLOG = 128;

    /**
     * Perl is on every Debian. 434 is pidfd_open(2), 438 pidfd_getfd(2), on every architecture; 3 is where sd_listen_fds(3)
     * has the first socket.
     */
    private static final String FETCH = """
            use POSIX ();
            my ($holder, $number) = (shift, shift);
            my $process = syscall(434, $holder + 0, 0);
            my $socket = syscall(438, $process, $number + 0, 0);
            die "cannot fetch descriptor $number of process $holder: $!\\n" if $process < 0 || $socket < 0;
            POSIX::dup2($socket, 3) or die "dup2: $!\\n";
            $ENV{LISTEN_FDS} = 1;
            $ENV{LISTEN_PID} = $$;
            exec(@ARGV) or die "$ARGV[0]: $!\\n";
            """;

    private final ServerSocketChannel channel;
    private final int port;
    private final int descriptor;

    private HeldPort(ServerSocketChannel channel) throws IOException {
        this.channel = channel;
        port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
        descriptor = descriptorOf(port);
    }

    /** @throws NotHere if no other process can fetch it */
    static HeldPort open() throws IOException, NotHere, InterruptedException {
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.INET);
        try {
            channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
            HeldPort held = new HeldPort(channel);
            SystemTool.require(held.host().command(List.of("true")).toArray(new String[0]));
            return held;
        } catch (IOException | NotHere | InterruptedException e) {
            channel.close();
            throw e;
        }
    }

    private static int descriptorOf(int port) throws IOException {
        long inode = SocketTable.now().stream()
                .filter(socket -> socket.listening() && socket.localPort() == port)
                .mapToLong(SocketTable.Socket::inode)
                .findFirst()
                .orElseThrow(() -> new IOException("nothing listens at port " + port));
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors
                    .filter(descriptor -> leadsTo(descriptor, "socket:[" + inode + "]"))
                    .mapToInt(descriptor -> Integer.parseInt(descriptor.getFileName() + ""))
                    .findFirst()
                    .orElseThrow(() -> new IOException("port " + port + " is another process's"));
        }
    }

    private static boolean leadsTo(Path descriptor, String what) {
        try {
            return Files.readSymbolicLink(descriptor).toString().equals(what);
        } catch (IOException e) {
            // Closed meanwhile by another thread.
            return false;
        }
    }

    int port() {
        return port;
    }

    /** This machine, where programs are started with this socket. */
    Host host() {
        return new Host(
                Host.LOOPBACK.address(),
                List.of("perl", "-e", FETCH, "" + ProcessHandle.current().pid(), "" + descriptor));
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // Nobody waits in it any more.
        }
    }
}
