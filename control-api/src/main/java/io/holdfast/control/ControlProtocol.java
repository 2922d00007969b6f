package io.holdfast.control;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The connection between agent and server: UTF-8 JSON objects, one to a line, both ways, over TCP.
 *
 * <pre>
 *   agent                                server
 *     │ hello ──────────────────────────►  │
 *     │ ◄──────────────────────── welcome  │
 *     │ heartbeat ◄────────────► heartbeat │   each way, whatever else is sent
 *     │ ◄── session-opened, session-closed │
 *     │ ◄───────────────────── going-away  │   a planned stop
 *     │ frozen ─────────────────────────►  │   every VM is stopped, nothing in flight
 *     │ ◄──────────────────────────── bye  │
 * </pre>
 *
 * <p>A receiver passes over message types and fields it does not know. Anything that is not a JSON object, or longer than
 * {@link #MAX_LINE_BYTES}, is answered with {@code refused} and a closed connection.
 */
public final class ControlProtocol {
    public static final int VERSION = 1;

    /** A welcome names every unit and session, so this bounds how many a server can have (several hundred). */
    public static final int MAX_LINE_BYTES = 64 * 1024;

    private ControlProtocol() {}

    static String orEmpty(@Nullable String value) {
        return value == null ? "" : value;
    }

    /** JSON may lack a list or have null in it; nobody behind this wants to know. */
    static <T> List<T> orEmpty(@Nullable List<T> values) {
        return values == null
                ? List.of()
                : values.stream().filter(Objects::nonNull).toList();
    }
}
