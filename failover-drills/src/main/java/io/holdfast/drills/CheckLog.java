package io.holdfast.drills;

import io.holdfast.drills.CheckResult.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the initiator guest says, line by line, as results. The lines are described in {@code test-images/README.md}; its
 * requests to the host are not for this class. Not thread-safe.
 */
final class CheckLog {
    /** A check that prints more has its first lines dropped: what went wrong is at the end. */
    private static final int MAX_OUTPUT_LINES = 4_000;

    private final List<CheckResult> results = new ArrayList<>();
    private final List<String> output = new ArrayList<>();
    private @Nullable String running;
    private String sentence = "";
    private boolean done;

    /** Takes a line; answers the result if it ends a check. */
    Optional<CheckResult> accept(String line) {
        String[] words = line.split(" ", 4);
        switch (words[0]) {
            case "begin" -> begin(words);
            case "out" -> keep(rest(line, 2));
            case "kernel" -> keep("kernel: " + rest(line, 2));
            case "PASS" -> {
                return end(Outcome.PASS, words);
            }
            case "FAIL" -> {
                return end(Outcome.FAIL, words);
            }
            case "SKIP" -> {
                return end(Outcome.SKIP, words);
            }
            case "done" -> done = true;
            default -> keep(line);
        }
        return Optional.empty();
    }

    private void begin(String[] words) {
        output.clear();
        running = words.length > 1 ? words[1] : "";
        sentence = String.join(" ", List.of(words).subList(Math.min(2, words.length), words.length));
    }

    private void keep(String text) {
        output.add(text);
        if (output.size() > MAX_OUTPUT_LINES) {
            output.remove(0);
        }
    }

    private Optional<CheckResult> end(Outcome outcome, String[] words) {
        String name = words.length > 1 ? words[1] : "";
        String seconds = words.length > 2 ? words[2] : "?";
        String detail = words.length > 3 ? words[3] : "";
        return Optional.of(add(new CheckResult(name, sentence, outcome, seconds, detail, output)));
    }

    private CheckResult add(CheckResult result) {
        results.add(result);
        running = null;
        output.clear();
        return result;
    }

    /** The guest says no more, without having said that it is done: what ran then has failed, and so has the whole. */
    CheckResult abandon(String reason) {
        String name = running == null ? "guest" : running;
        return add(new CheckResult(name, sentence, Outcome.FAIL, "?", reason, output));
    }

    /** The host's own check: that the server had nothing to complain of. */
    CheckResult serverLog(List<String> complaints, List<String> all) {
        Outcome outcome = complaints.isEmpty() ? Outcome.PASS : Outcome.FAIL;
        String detail = complaints.isEmpty() ? all.size() + " lines" : complaints.get(0);
        CheckResult result =
                new CheckResult("server-log", "the server logs no error of its own", outcome, "0", detail, all);
        results.add(result);
        return result;
    }

    private static String rest(String line, int skip) {
        String[] words = line.split(" ", skip + 1);
        return words.length > skip ? words[skip] : "";
    }

    /** Whether the guest has said that there is nothing more to come. */
    boolean done() {
        return done;
    }

    List<CheckResult> results() {
        return List.copyOf(results);
    }

    /** The verdict: {@code checks=3 passed=2 failed=0 skipped=1}. */
    static String summary(List<CheckResult> results) {
        return "checks=" + results.size() + " passed=" + count(results, Outcome.PASS) + " failed="
                + count(results, Outcome.FAIL) + " skipped=" + count(results, Outcome.SKIP);
    }

    static long count(List<CheckResult> results, Outcome outcome) {
        return results.stream().filter(result -> result.outcome() == outcome).count();
    }
}
