package io.holdfast.drills;

/**
 * What a kind of fault needs, and what must come of it.
 *
 * @param freezesAtLeast how often an outage must freeze a guest
 * @param freezesAtMost more often is flapping
 * @param ending how the guest stands when the cause is gone
 * @param freezeBudgetMs what a freeze may take, from the fault; a figure of the report, and no test
 * @param thawBudgetMs what progress may take, from the end of the fault
 * @param guests how many there are
 * @param spare whether the agent knows another guest that is not there yet
 * @param vmWishes more of what {@code --vm} says
 */
record FailoverShape(
        int freezesAtLeast,
        int freezesAtMost,
        Ending ending,
        double freezeBudgetMs,
        double thawBudgetMs,
        int guests,
        boolean spare,
        FailoverStage.Storage storage,
        FailoverStage.Network network,
        String vmWishes) {

    /** How a guest must stand in the end. */
    enum Ending {
        RUNNING,
        /** For somebody to look at: it must not be resumed by itself. */
        FROZEN
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
        return new FailoverShape(
                least,
                most,
                Ending.RUNNING,
                Double.POSITIVE_INFINITY,
                Double.POSITIVE_INFINITY,
                1,
                false,
                FailoverStage.Storage.ORDINARY,
                FailoverStage.Network.LOOPBACK,
                "");
    }

    FailoverShape within(double freezeMs, double thawMs) {
        return new FailoverShape(
                freezesAtLeast, freezesAtMost, ending, freezeMs, thawMs, guests, spare, storage, network, vmWishes);
    }

    FailoverShape staysFrozen() {
        return new FailoverShape(
                freezesAtLeast,
                freezesAtMost,
                Ending.FROZEN,
                freezeBudgetMs,
                thawBudgetMs,
                guests,
                spare,
                storage,
                network,
                vmWishes);
    }

    FailoverShape withGuests(int count) {
        return new FailoverShape(
                freezesAtLeast,
                freezesAtMost,
                ending,
                freezeBudgetMs,
                thawBudgetMs,
                count,
                spare,
                storage,
                network,
                vmWishes);
    }

    FailoverShape withSpare() {
        return new FailoverShape(
                freezesAtLeast,
                freezesAtMost,
                ending,
                freezeBudgetMs,
                thawBudgetMs,
                guests,
                true,
                storage,
                network,
                vmWishes);
    }

    FailoverShape on(FailoverStage.Storage where) {
        return new FailoverShape(
                freezesAtLeast,
                freezesAtMost,
                ending,
                freezeBudgetMs,
                thawBudgetMs,
                guests,
                spare,
                where,
                network,
                vmWishes);
    }

    FailoverShape overACable() {
        return new FailoverShape(
                freezesAtLeast,
                freezesAtMost,
                ending,
                freezeBudgetMs,
                thawBudgetMs,
                guests,
                spare,
                storage,
                FailoverStage.Network.CABLE,
                vmWishes);
    }

    FailoverShape wishing(String wishes) {
        return new FailoverShape(
                freezesAtLeast,
                freezesAtMost,
                ending,
                freezeBudgetMs,
                thawBudgetMs,
                guests,
                spare,
                storage,
                network,
                wishes);
    }
}
