package io.holdfast.agent.watch;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The established TCP connections of a process on this machine, from /proc (proc(5)). Blocks, but for milliseconds. */
public final class ProcessSockets {
    private static final String ESTABLISHED = "01";
    private static final int INET_BYTES = 4;
    private static final Pattern WHITE_SPACE = Pattern.compile("\\s+");

    /**
     * One connection.
     *
     * @param descriptor its number in the process
     * @param inode the socket itself, whatever number it has where
     */
    public record TcpSocket(int descriptor, String inode, InetSocketAddress local, InetSocketAddress remote) {}

    private ProcessSockets() {}

    /** @return what can be read; a process that has gone has none */
    public static List<TcpSocket> established(int pid) {
        Map<String, Integer> descriptors = socketDescriptors(pid);
        List<TcpSocket> found = new ArrayList<>();
        // The process may live in a network namespace of its own: its tables, not ours.
        for (String table : List.of("tcp", "tcp6")) {
            try {
                for (String line : Files.readAllLines(Path.of("/proc", "" + pid, "net", table))) {
                    String[] fields = WHITE_SPACE.split(line.trim(), -1);
                    Integer descriptor =
                            fields.length > 9 && fields[3].equals(ESTABLISHED) ? descriptors.get(fields[9]) : null;
                    if (descriptor != null) {
                        found.add(new TcpSocket(descriptor, fields[9], address(fields[1]), address(fields[2])));
                    }
                }
            } catch (IOException e) {
                // No such process, or no IPv6.
            }
        }
        return found;
    }

    /** Whether a descriptor of this process is the socket with that inode. */
    static boolean isSocket(int descriptor, String inode) {
        try {
            Path link = Path.of("/proc/self/fd", "" + descriptor);
            return Files.readSymbolicLink(link).toString().equals("socket:[" + inode + "]");
        } catch (IOException e) {
            return false;
        }
    }

    private static Map<String, Integer> socketDescriptors(int pid) {
        Map<String, Integer> byInode = new LinkedHashMap<>();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc", "" + pid, "fd"))) {
            for (Path link : links) {
                try {
                    String to = Files.readSymbolicLink(link).toString();
                    if (to.startsWith("socket:[")) {
                        byInode.put(
                                to.substring(8, to.length() - 1),
                                Integer.valueOf(link.getFileName().toString()));
                    }
                } catch (IOException e) {
                    // Closed between the listing and the look.
                }
            }
        } catch (IOException e) {
            // No such process, or not ours to look into.
        }
        return byInode;
    }

    /** The kernel prints addresses as words in the machine's byte order, ports in the network's. */
    static InetSocketAddress address(String text) throws IOException {
        int colon = text.indexOf(':');
        byte[] bytes = new byte[colon / 2];
        boolean little = java.nio.ByteOrder.nativeOrder() == java.nio.ByteOrder.LITTLE_ENDIAN;
        for (int i = 0; i < bytes.length; i++) {
            int at = little ? (i & ~(INET_BYTES - 1)) + INET_BYTES - 1 - (i & INET_BYTES - 1) : i;
            bytes[i] = (byte) Integer.parseInt(text.substring(at * 2, at * 2 + 2), 16);
        }
        return new InetSocketAddress(InetAddress.getByAddress(bytes), Integer.parseInt(text.substring(colon + 1), 16));
    }
}
