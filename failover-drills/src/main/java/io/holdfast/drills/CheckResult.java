package io.holdfast.drills;

import java.util.List;

/**
 * How one of the initiator guest's checks ended.
 *
 * @param name what it is called on the command line
 * @param sentence what it checks
 * @param seconds how long it took, by the guest's clock, as the guest printed it
 * @param detail what it has to say: figures, the reason for a failure or for a skip
 * @param output what its tools and the kernel printed
 */
record CheckResult(String name, String sentence, Outcome outcome, String seconds, String detail, List<String> output) {
    enum Outcome {
        PASS,
        FAIL,
        /** The server has no such thing. Never silent: the detail says which. */
        SKIP
    }

    CheckResult {
        output = List.copyOf(output);
    }

    /** One line for people. */
    String line() {
        return (outcome + " " + name + " (" + seconds + " s) " + (outcome == Outcome.SKIP ? "skipped: " : "") + detail)
                .strip();
    }
}
