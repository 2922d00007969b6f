package io.holdfast.agent.watch;

import java.util.concurrent.TimeUnit;

/**
 * When a server that is away is tried again, and how long the network may take. Pure: it is told the time. Owned by the loop.
 */
final class RetryPace {
    /** A server that is just dying hangs up without a welcome too, but not so often in a row. */
    static final int UNWELCOME_QUICK = 3;

    /**
     * How long TCP may take after a silent loss, or {@value #USUAL_TIMES} times what it usually takes if that is longer, but for
     * every {@value #PATIENT_EVERY}th attempt.
     */
    static final int IMPATIENT_MS = 100;

    static final int USUAL_TIMES = 4;
    static final int PATIENT_EVERY = 32;
    private static final int UNWELCOME_FIRST_MS = 100;
    /** The log of whoever is asked in vain grows by one line in such a time. */
    private static final int UNWELCOME_MAX_MS = 2_000;

    private static final int DOUBLINGS = 10;

    private final WatchSettings settings;
    private final boolean local;
    private int attempt;
    /** It was lost by silence: its network may be dead, and wake up at any moment. */
    private boolean silentlyLost;

    private long connectBeganNanos;
    /** How long it took when it last succeeded. */
    private long lastMs;
    /** The shorter of the last two: one may have been slow because this machine was busy. */
    private long usualMs;
    /** How often in a row somebody accepted the connection, and closed it without a welcome. */
    private int unwelcome;

    /** @param local whether the server is on this machine */
    RetryPace(WatchSettings settings, boolean local) {
        this.settings = settings;
        this.local = local;
    }

    void lost(boolean silent) {
        attempt = 0;
        silentlyLost = silent;
    }

    /** It serves. */
    void found() {
        attempt = 0;
        silentlyLost = false;
    }

    void connects(long nowNanos) {
        connectBeganNanos = nowNanos;
    }

    /** TCP has connected. */
    void connected(long nowNanos) {
        long tookMs = TimeUnit.NANOSECONDS.toMillis(nowNanos - connectBeganNanos);
        usualMs = Math.min(tookMs, lastMs);
        lastMs = tookMs;
    }

    /**
     * Where packets are lost, the one that is sent when the network is well again must be a new one: TCP itself would repeat
     * the lost one only after a second. A path that has become so long that it takes more patience gets it every now and then.
     */
    int connectLimitMs() {
        boolean patient = !silentlyLost || attempt % PATIENT_EVERY == PATIENT_EVERY - 1;
        return patient ? settings.connectLimitMs() : Math.min(impatientMs(), settings.connectLimitMs());
    }

    private int impatientMs() {
        return (int) Math.min(Integer.MAX_VALUE, Math.max(IMPATIENT_MS, USUAL_TIMES * usualMs));
    }

    /** @return whether it is just now that it has become one that hangs up on everybody */
    boolean hungUp() {
        unwelcome++;
        return unwelcome == UNWELCOME_QUICK;
    }

    /** It hangs up each time, and is no server that is dying. */
    boolean isUnwelcome() {
        return unwelcome >= UNWELCOME_QUICK;
    }

    /** It speaks, or nobody is there at all. */
    void welcomed() {
        unwelcome = 0;
    }

    /** How long to wait before the next attempt; asked once for each. */
    int nextWaitMs(long nowNanos) {
        int waitMs = local
                ? settings.retryLoopbackMs()
                : (int) Math.min(settings.retryMaxMs(), (long) settings.retryFirstMs() << Math.min(attempt, DOUBLINGS));
        if (unwelcome > UNWELCOME_QUICK) {
            long longerMs = (long) UNWELCOME_FIRST_MS << Math.min(unwelcome - UNWELCOME_QUICK - 1, DOUBLINGS);
            waitMs = (int) Math.min(UNWELCOME_MAX_MS, longerMs);
        } else if (silentlyLost && nowNanos - connectBeganNanos >= TimeUnit.MILLISECONDS.toNanos(connectLimitMs())) {
            // It has waited already.
            waitMs = Math.min(waitMs, settings.retryFirstMs());
        }
        attempt++;
        return waitMs;
    }
}
