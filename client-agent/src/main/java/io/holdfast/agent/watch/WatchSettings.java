package io.holdfast.agent.watch;

/**
 * How a server is watched. All in milliseconds.
 *
 * @param silenceMs without a line for so long, the data path is asked
 * @param probeLimitMs how long a discovery login may take, TCP included
 * @param connectLimitMs how long TCP may take for the control connection
 * @param welcomeLimitMs how long the server may take to introduce itself
 * @param retryLoopbackMs between attempts to reach a server on this machine: a refused connect costs next to nothing
 * @param retryFirstMs between the first attempts to reach any other
 * @param retryMaxMs between later ones
 * @param readEveryMs how often a block of a unit in use is read, so that a server is missed whose heart beats and whose
 *     data path hangs; 0 never
 * @param overstayMs how long after its announced departure a server may still be there before it is believed to stay
 */
public record WatchSettings(
        int silenceMs,
        int probeLimitMs,
        int connectLimitMs,
        int welcomeLimitMs,
        int retryLoopbackMs,
        int retryFirstMs,
        int retryMaxMs,
        int overstayMs,
        int readEveryMs) {
    /** Silence is certain within 2 s; a return is noticed within 10 ms on this machine, within 100 ms elsewhere. */
    public static final WatchSettings DEFAULT = new WatchSettings(900, 1_000, 500, 2_000, 10, 20, 100, 5_000, 500);

    /** The same without reads. */
    public WatchSettings(
            int silenceMs,
            int probeLimitMs,
            int connectLimitMs,
            int welcomeLimitMs,
            int retryLoopbackMs,
            int retryFirstMs,
            int retryMaxMs,
            int overstayMs) {
        this(
                silenceMs,
                probeLimitMs,
                connectLimitMs,
                welcomeLimitMs,
                retryLoopbackMs,
                retryFirstMs,
                retryMaxMs,
                overstayMs,
                0);
    }

    /** The same with another rate of reads, 0 for none. */
    public WatchSettings readEvery(int ms) {
        return new WatchSettings(
                silenceMs,
                probeLimitMs,
                connectLimitMs,
                welcomeLimitMs,
                retryLoopbackMs,
                retryFirstMs,
                retryMaxMs,
                overstayMs,
                ms);
    }
}
