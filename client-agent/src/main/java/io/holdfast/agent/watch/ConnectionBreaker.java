package io.holdfast.agent.watch;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;
import io.holdfast.linux.Pidfd;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Breaks another process's TCP connections from outside. QEMU notices by itself that its target has died, but not that it
 * has fallen silent: only after 20 s does it ask. Broken, its connection is made again within milliseconds, and comes to
 * the portal.
 *
 * <p>Two ways, both measured: a duplicate of the descriptor (pidfd_getfd(2)) that is shut down, which needs no more than
 * the right to trace the process; and, where that right is lacking, {@code ss -K}, which needs CAP_NET_ADMIN and a kernel
 * with CONFIG_INET_DIAG_DESTROY.
 */
public final class ConnectionBreaker {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionBreaker.class);
    private static final int SS_LIMIT_MS = 2_000;

    /** What came of an attempt. */
    enum Outcome {
        BROKEN,
        /** It is not there any more: its number may mean another file by now. */
        GONE,
        NOT_ALLOWED
    }

    private ConnectionBreaker() {}

    /**
     * Breaks every established connection of a process to an address. Blocks for milliseconds.
     *
     * @return how many were broken
     */
    public static int breakConnections(int pid, InetSocketAddress remote) {
        int broken = 0;
        for (ProcessSockets.TcpSocket socket : ProcessSockets.established(pid)) {
            if (!socket.remote().equals(remote)) {
                continue;
            }
            Outcome outcome = shutDown(pid, socket);
            if (outcome == Outcome.BROKEN || outcome == Outcome.NOT_ALLOWED && destroy(socket)) {
                broken++;
            }
        }
        return broken;
    }

    /**
     * The process may have closed the socket since it was listed, and opened another file under its number: only what is
     * still the same socket is shut down.
     */
    static Outcome shutDown(int pid, ProcessSockets.TcpSocket socket) {
        try (Pidfd process = Pidfd.open(pid)) {
            int copy = process.duplicate(socket.descriptor());
            try {
                if (!ProcessSockets.isSocket(copy, socket.inode())) {
                    return Outcome.GONE;
                }
                Linux.shutdown(copy, Linux.SHUT_RDWR);
                return Outcome.BROKEN;
            } finally {
                Linux.close(copy);
            }
        } catch (LinuxException e) {
            LOG.debug("process {}: {}", pid, e.getMessage());
            return e.is(Errno.EBADF) || e.is(Errno.ENOTCONN) ? Outcome.GONE : Outcome.NOT_ALLOWED;
        }
    }

    private static boolean destroy(ProcessSockets.TcpSocket socket) {
        try {
            Process ss = new ProcessBuilder(
                            "ss",
                            "-K",
                            "src",
                            socket.local().getAddress().getHostAddress(),
                            "sport",
                            "=",
                            "" + socket.local().getPort(),
                            "dst",
                            socket.remote().getAddress().getHostAddress(),
                            "dport",
                            "=",
                            "" + socket.remote().getPort())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!ss.waitFor(SS_LIMIT_MS, TimeUnit.MILLISECONDS)) {
                ss.destroyForcibly();
                return false;
            }
            return ss.exitValue() == 0;
        } catch (IOException e) {
            LOG.warn("cannot run ss to break a connection: {}", e.getMessage());
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
