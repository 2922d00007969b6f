package io.holdfast.drills;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Chooses TCP ports that nobody uses. */
final class FreePort {
    /**
     * Below what the kernel gives to outgoing connections (32768 and up): while the server is away such a connection
     * could take its port, and a client that keeps trying could even connect to itself.
     */
    private static final int LOWEST = 20_000;

    private static final int HIGHEST = 32_000;
    private static final int TRIES = 200;

    /** Several drills may be looking for ports at once, and what they chose is not bound at once. */
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private FreePort() {}

    static int choose() throws DrillFailure {
        @Nullable IOException taken = null;
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                if (GIVEN.add(port)) {
                    return socket.getLocalPort();
                }
            } catch (IOException e) {
                taken = e;
            }
        }
        throw new DrillFailure("no free TCP port between " + LOWEST + " and " + HIGHEST, taken);
    }
}
