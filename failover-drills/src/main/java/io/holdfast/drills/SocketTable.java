package io.holdfast.drills;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The kernel's own table of TCP sockets ({@code /proc/net/tcp}, proc(5)): who listens and who is connected, seen
 * without touching either end. A test connection would show up in the server's and the agent's logs and timings.
 */
final class SocketTable {
    private static final int ESTABLISHED = 0x01;
    private static final int SYN_SENT = 0x02;
    private static final int LISTEN = 0x0a;

    /**
     * One socket.
     *
     * @param state kernel's number, {@code include/net/tcp_states.h}
     * @param inode identifies it among a process's descriptors; 0 for one that no process holds
     */
    record Socket(int localPort, int remotePort, int state, long inode) {
        boolean listening() {
            return state == LISTEN;
        }

        boolean connecting() {
            return state == SYN_SENT;
        }

        boolean connectedTo(int port) {
            return state == ESTABLISHED && remotePort == port;
        }
    }

    private SocketTable() {}

    /** The sockets of this network namespace now, IPv4 and IPv6 (a server may listen with either). */
    static List<Socket> now() throws IOException {
        List<Socket> sockets = new ArrayList<>();
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            Path path = Path.of(table);
            if (Files.exists(path)) {
                sockets.addAll(parse(Files.readString(path, StandardCharsets.US_ASCII)));
            }
        }
        return sockets;
    }

    /** Parses the table's text; the first line is its heading. */
    static List<Socket> parse(String table) {
        return table.lines().skip(1).map(SocketTable::parseLine).toList();
    }

    private static Socket parseLine(String line) {
        // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
        String[] fields = line.strip().split("\\s+", 11);
        return new Socket(port(fields[1]), port(fields[2]), Integer.parseInt(fields[3], 16), Long.parseLong(fields[9]));
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1), 16);
    }

    /** The inodes of the sockets a process holds; empty if there is no such process any more. */
    static Set<Long> inodesOf(long pid) {
        Set<Long> inodes = new HashSet<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
            for (Path descriptor : descriptors) {
                addSocket(descriptor, inodes);
            }
        } catch (IOException e) {
            return Set.of();
        }
        return inodes;
    }

    private static void addSocket(Path descriptor, Set<Long> inodes) {
        String prefix = "socket:[";
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            if (target.startsWith(prefix)) {
                inodes.add(Long.parseLong(target.substring(prefix.length(), target.length() - 1)));
            }
        } catch (IOException e) {
            // Closed between the listing and the look: not a socket of the process any more.
        }
    }
}
