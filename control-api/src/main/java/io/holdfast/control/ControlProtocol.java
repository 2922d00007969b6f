package io.holdfast.control;

/**
 * The connection between agent and server: UTF-8 JSON objects, one to a line, both ways, over TCP.
 *
 * <pre>
 *   agent                                server
 *     │ hello ──────────────────────────►  │
 *     │ ◄──────────────────────── welcome  │
 *     │ heartbeat ◄────────────► heartbeat │   each way, whatever else is sent
 *     │ ◄── session-opened, session-closed │
 *     │ ◄─────────────────── units-changed │   what is served is not what the welcome said any more
 *     │ ◄────────────── actions-registered │   what operators want done on events: all of it after the welcome, then changes
 *     │ actions-taken ──────────────────►  │   which of that the agent does
 *     │ ◄───────────────── raised, cleared │   something is wrong, such as storage that fails; is well again
 *     │ prove-unit ─────────────────────►  │   is this unit, which lets no agent in, what its frozen VM knows, and does it work?
 *     │ ◄───────────────────── unit-proved │   the answer to each
 *     │ ◄───────────────────── going-away  │   a planned stop
 *     │ frozen ─────────────────────────►  │   every VM is stopped, nothing in flight
 *     │ vm-states ──────────────────────►  │   where each VM stands, whenever that changes
 *     │ ◄──────────────────────────── bye  │
 * </pre>
 *
 * <p>A receiver passes over message types and fields it does not know. Anything that is not a JSON object, or longer than
 * {@link #MAX_LINE_BYTES}, is answered with {@code refused} and a closed connection.
 */
public final class ControlProtocol {
    public static final int VERSION = 2;

    /** Servers that speak it answer {@link AgentMessage.ProveUnit}. Those before pass over it, as over all they do not know. */
    public static final int PROVES_UNITS = 2;

    /** How long a unit may take to be read and durably written, at the agent's session or at the server's hands. */
    public static final int PROOF_LIMIT_MS = 3_000;

    /**
     * A welcome names every unit (some 150 bytes) and session (some 170), a frozen every VM: a full server's, 2048
     * connections and 5000 LUs that each are seen through two adapters, take half of this. One that did not fit would leave
     * every VM frozen.
     */
    public static final int MAX_LINE_BYTES = 4 * 1024 * 1024;

    private ControlProtocol() {}
}
