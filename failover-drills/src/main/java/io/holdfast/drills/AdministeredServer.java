package io.holdfast.drills;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A server without exports, which its administrator furnishes while it runs.
 *
 * @param program what {@code holdfast} is
 * @param place where its state and its log are
 */
record AdministeredServer(Path program, Workplace place) {
    private static final Duration KILL_AFTER = Duration.ofSeconds(10);

    private Path state() {
        return place.file("state");
    }

    /** Where the administrator reaches it. */
    Path socket() {
        return state().resolve("control.sock");
    }

    /** Starts it; {@link #awaitAdministrator} says when it can be furnished. */
    Child start(int portal) throws DrillFailure {
        try {
            // That of a server that was killed says nothing of this one.
            Files.deleteIfExists(socket());
        } catch (IOException e) {
            throw new DrillFailure("the socket of the server before cannot be removed: " + e.getMessage());
        }
        List<String> command = List.of(
                program.toString(),
                "serve",
                "--listen",
                "127.0.0.1:" + portal,
                "--control",
                "127.0.0.1:" + FreePort.choose(),
                "--state",
                state().toString());
        return place.start("the server", command, place.file("server.log"), KILL_AFTER);
    }

    void awaitAdministrator(Child server, Duration patience) throws DrillFailure, InterruptedException {
        Patience.await(
                "the server to let the administrator in", patience, List.of(server), () -> Files.exists(socket()));
    }
}
