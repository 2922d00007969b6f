package io.holdfast.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The listening sockets that the service manager holds for us and has passed on (sd_listen_fds(3)): while we are not there
 * connections wait in them instead of being refused.
 */
public final class PassedSockets {
    /** The first one's number; the others follow. */
    private static final int FIRST = 3;
    /** More than anybody passes: a number that is a slip must not make us touch hundreds of descriptors. */
    public static final int MAX = 1024;

    private PassedSockets() {}

    /**
     * One socket.
     *
     * @param name as the manager calls it (FileDescriptorName=), for people
     */
    public record Passed(int fd, String name) {}

    /**
     * Those that are meant for this process, each set to not block.
     *
     * @throws IOException if a descriptor that was announced is not there
     */
    public static List<Passed> fromEnvironment() throws IOException {
        List<Passed> passed = parse(System.getenv(), ProcessHandle.current().pid());
        for (Passed socket : passed) {
            dontBlock(socket);
        }
        return passed;
    }

    static List<Passed> parse(Map<String, String> environment, long pid) throws IOException {
        String count = environment.getOrDefault("LISTEN_FDS", "");
        if (count.isEmpty() || !environment.getOrDefault("LISTEN_PID", "").equals("" + pid)) {
            // None, or those of a parent that did not clear its environment.
            return List.of();
        }
        if (!count.matches("[0-9]{1,4}") || Integer.parseInt(count) > MAX) {
            throw new IOException("LISTEN_FDS=" + count + " is not a number of sockets, 0 to " + MAX);
        }
        String[] names = environment.getOrDefault("LISTEN_FDNAMES", "").split(":", -1);
        List<Passed> passed = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(count); i++) {
            passed.add(new Passed(FIRST + i, i < names.length && !names[i].isEmpty() ? names[i] : "unknown"));
        }
        return passed;
    }

    /**
     * An event loop accepts until there is nobody more, and would wait then. {@code NonBlocking=yes} in the unit has done it
     * already; asking {@code /proc} first spares the start the binding of the native library.
     */
    private static void dontBlock(Passed socket) throws IOException {
        if ((statusFlags(socket) & Linux.O_NONBLOCK) == 0) {
            Linux.dontBlock(socket.fd());
        }
    }

    private static int statusFlags(Passed socket) throws IOException {
        Path info = Path.of("/proc/self/fdinfo/" + socket.fd());
        if (!Files.exists(info)) {
            throw new IOException("the service manager announced descriptor " + socket.fd() + " (" + socket.name()
                    + ") and did not pass it");
        }
        for (String line : Files.readAllLines(info)) {
            if (line.startsWith("flags:")) {
                return Integer.parseInt(line.substring("flags:".length()).strip(), 8);
            }
        }
        return 0;
    }
}
