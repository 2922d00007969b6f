package io.holdfast.agent.watch;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import jnr.ffi.LibraryLoader;
import jnr.ffi.annotations.Variadic;
import jnr.ffi.types.pid_t;
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
    // The same on every architecture: numbers above 423 are common to all.
    private static final long SYS_PIDFD_OPEN = 434;
    private static final long SYS_PIDFD_GETFD = 438;
    private static final int SHUT_RDWR = 2;
    private static final int SS_LIMIT_MS = 2_000;

    /** What of the C library is needed. */
    public interface LibC {
        @Variadic(fixedCount = 1)
        long syscall(long number, long first, long second, long third);

        int shutdown(int descriptor, int how);

        int close(int descriptor);

        @pid_t
        int getpid();
    }

    private static final class Native {
        static final LibC C = LibraryLoader.create(LibC.class).load("c");
    }

    private ConnectionBreaker() {}

    /** Loads what would otherwise be loaded when there is no time for it. */
    public static void warmUp() {
        Native.C.getpid();
    }

    /**
     * Breaks every established connection of a process to an address. Blocks for milliseconds.
     *
     * @return how many were broken
     */
    public static int breakConnections(int pid, InetSocketAddress remote) {
        int broken = 0;
        for (ProcessSockets.TcpSocket socket : ProcessSockets.established(pid)) {
            if (socket.remote().equals(remote) && (shutDown(pid, socket.descriptor()) || destroy(socket))) {
                broken++;
            }
        }
        return broken;
    }

    private static boolean shutDown(int pid, int descriptor) {
        int process = (int) Native.C.syscall(SYS_PIDFD_OPEN, pid, 0, 0);
        if (process < 0) {
            return false;
        }
        try {
            int copy = (int) Native.C.syscall(SYS_PIDFD_GETFD, process, descriptor, 0);
            if (copy < 0) {
                return false;
            }
            boolean done = Native.C.shutdown(copy, SHUT_RDWR) == 0;
            Native.C.close(copy);
            return done;
        } finally {
            Native.C.close(process);
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
