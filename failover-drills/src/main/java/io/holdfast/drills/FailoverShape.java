package io.holdfast.drills;

/**
 * What a kind of fault needs, and what must come of it.
 *
 * @param freezes how often each outage must freeze a guest
 * @param ending how the guest stands when the cause is gone
 * @param budget how long it may take; figures of the report, and no test
 * @param scenery where it is played
 */
record FailoverShape(Freezes freezes, Ending ending, Budget budget, Scenery scenery) {

    /** How a guest must stand in the end. */
    enum Ending {
        RUNNING,
        /** For somebody to look at: it must not be resumed by itself. */
        FROZEN
    }

    /** @param most more often is flapping */
    record Freezes(int least, int most) {}

    /**
     * Infinite where there is none.
     *
     * @param freezeMs from the fault to the stop of the vCPUs
     * @param thawMs from the end of the fault to progress
     */
    record Budget(double freezeMs, double thawMs) {
        private static final Budget NONE = new Budget(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
    }

    /**
     * @param guests how many there are
     * @param spare how many more the agent knows, which are not there yet
     */
    record Scenery(int guests, int spare, FailoverStage.Storage storage, FailoverStage.Network network) {
        private static final Scenery PLAIN =
                new Scenery(1, 0, FailoverStage.Storage.ORDINARY, FailoverStage.Network.LOOPBACK);
    }

    /** Frozen once and thawed once. */
    static FailoverShape once(double freezeBudgetMs, double thawBudgetMs) {
        return between(1, 1).within(freezeBudgetMs, thawBudgetMs);
    }

    /** Nothing is to be noticed. */
    static FailoverShape never() {
        return between(0, 0);
    }

    static FailoverShape between(int least, int most) {
        return new FailoverShape(new Freezes(least, most), Ending.RUNNING, Budget.NONE, Scenery.PLAIN);
    }

    FailoverShape within(double freezeMs, double thawMs) {
        return new FailoverShape(freezes, ending, new Budget(freezeMs, thawMs), scenery);
    }

    FailoverShape staysFrozen() {
        return new FailoverShape(freezes, Ending.FROZEN, budget, scenery);
    }

    FailoverShape withGuests(int count) {
        return at(new Scenery(count, scenery.spare(), scenery.storage(), scenery.network()));
    }

    FailoverShape withSpare() {
        return at(new Scenery(scenery.guests(), 1, scenery.storage(), scenery.network()));
    }

    FailoverShape on(FailoverStage.Storage where) {
        return at(new Scenery(scenery.guests(), scenery.spare(), where, scenery.network()));
    }

    FailoverShape overACable() {
        return at(new Scenery(scenery.guests(), scenery.spare(), scenery.storage(), FailoverStage.Network.CABLE));
    }

    FailoverShape withHeldPortal() {
        return at(new Scenery(scenery.guests(), scenery.spare(), scenery.storage(), FailoverStage.Network.HELD_PORTAL));
    }

    private FailoverShape at(Scenery other) {
        return new FailoverShape(freezes, ending, budget, other);
    }
}
