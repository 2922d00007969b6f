package io.holdfast.control;

/**
 * The limits and times of a control connection.
 *
 * @param heartbeatMs how often either side sends a heart-beat
 * @param helloLimitMs how long a peer may take for its first line
 * @param agentSilenceMs after how long without a line a server drops an agent; generous, because an agent that is only
 *     slow still freezes its VMs when the connection breaks
 * @param maxAgents how many connections a server holds at once
 * @param maxUnsentBytes how much may wait for a slow peer before it is dropped
 */
public record ControlSettings(
        int heartbeatMs, int helloLimitMs, int agentSilenceMs, int maxAgents, int maxUnsentBytes) {

    /** Beside the iSCSI portal's 3260: what a server listens on for agents unless it is told otherwise. */
    public static final int USUAL_PORT = 3261;

    /** 250 ms: silence can be noticed within a second, at a cost of four small packets a second each way. */
    public static final ControlSettings DEFAULT =
            new ControlSettings(250, 5_000, 10_000, 256, 2 * ControlProtocol.MAX_LINE_BYTES);
}
