package io.holdfast.control.http;

/**
 * What callers may take of the API.
 *
 * @param maxBodyBytes of one request
 * @param maxConnections at once, each listener's
 * @param maxSubscribers of the event stream at once
 * @param maxPendingEvents that may wait for one subscriber before he is dropped
 * @param requestsPerSecond of one caller, on average
 * @param burst how many of them may come at once
 * @param failuresPerMinute of one address, to prove who it is, before it has to wait
 * @param idleSeconds after which a silent connection is closed
 */
public record ApiLimits(
        int maxBodyBytes,
        int maxConnections,
        int maxSubscribers,
        int maxPendingEvents,
        int requestsPerSecond,
        int burst,
        int failuresPerMinute,
        int idleSeconds) {
    public static final ApiLimits DEFAULT = new ApiLimits(64 * 1024, 256, 64, 1000, 500, 2000, 20, 60);
}
