package io.holdfast.drills;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * Plays drills, tells of each, and keeps the report up to date. Drills are played one by one, but for long ones, of which several
 * may be played together once the others are done: in those the guests are frozen nearly all of the time, and need no CPU.
 * Belongs to one thread.
 */
final class FailoverSeries {
    private final Drill.Setting setting;
    private final PrintWriter out;
    private final Path folder;
    private final String again;
    private final int together;
    private final List<FailoverResult> played = new ArrayList<>();

    /**
     * @param folder where the report goes
     * @param again the command line that plays the same again
     * @param together how many long ones are played at once
     */
    FailoverSeries(Drill.Setting setting, PrintWriter out, Path folder, String again, int together) {
        this.setting = setting;
        this.out = out;
        this.folder = folder;
        this.again = again;
        this.together = together;
    }

    /** @return whether no drill failed */
    boolean play(List<FailoverPlan> plans) throws IOException, InterruptedException {
        int all = plans.size();
        for (FailoverPlan plan : plans) {
            if (!isForCompany(plan)) {
                out.printf(Locale.ROOT, "%n[%d/%d] %s%n", played.size() + 1, all, plan.words());
                out.flush();
                FailoverResult result = run(plan, (who, what) -> say(line(who, what)), Company.ALONE);
                add(result, verdict(result));
            }
        }
        playTogether(plans.stream().filter(this::isForCompany).toList(), all);
        return sum();
    }

    private boolean isForCompany(FailoverPlan plan) {
        return together > 1 && plan.isLong();
    }

    private FailoverResult run(FailoverPlan plan, Narrator narrator, Company company) throws InterruptedException {
        return new FailoverDrill(plan, setting, narrator, Judgement.EXACT).run().in(company);
    }

    // ------------------------------------------------------------------ several at a time

    /** One that is over, and what is to be said of it. */
    private record Told(FailoverResult result, List<String> lines) {}

    private void playTogether(List<FailoverPlan> plans, int all) throws IOException, InterruptedException {
        if (plans.isEmpty()) {
            return;
        }
        say("");
        say("long ones, " + together + " at a time: each is told of when it is over");
        ExecutorService players = Executors.newFixedThreadPool(together);
        try {
            CompletionService<Told> over = new ExecutorCompletionService<>(players);
            plans.forEach(plan -> over.submit(() -> playAside(plan)));
            for (int i = 0; i < plans.size(); i++) {
                Told told = over.take().get();
                String heading = String.format(
                        Locale.ROOT,
                        "%n[%d/%d] %s",
                        played.size() + 1,
                        all,
                        told.result().plan().words());
                add(told.result(), Stream.concat(Stream.of(heading), told.lines().stream()));
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } finally {
            players.shutdownNow();
        }
    }

    private Told playAside(FailoverPlan plan) throws InterruptedException {
        List<String> lines = new ArrayList<>();
        FailoverResult result = run(plan, (who, what) -> lines.add(line(who, what)), Company.TOGETHER);
        verdict(result).forEach(lines::add);
        return new Told(result, lines);
    }

    // ------------------------------------------------------------------ what is said

    private void say(String line) {
        out.println(line);
        out.flush();
    }

    private static String line(String who, String what) {
        return "  " + who + ": " + what;
    }

    private void add(FailoverResult result, Stream<String> lines) throws IOException {
        lines.forEach(out::println);
        out.flush();
        played.add(result);
        // After every drill, so that an interrupted series leaves what it has.
        report().write(folder);
    }

    private FailoverReport report() {
        return new FailoverReport(again, played);
    }

    private static Stream<String> verdict(FailoverResult result) {
        if (!result.played()) {
            return Stream.of("  skipped: " + result.skipped());
        }
        if (result.passed()) {
            return Stream.of(String.format(
                    Locale.ROOT,
                    "  passed in %.0f s: %d writes acknowledged, none lost",
                    result.seconds(),
                    result.acked()));
        }
        return Stream.of(
                        result.reasons().stream().map(reason -> "  FAILED: " + reason),
                        Stream.of(
                                "  again: scripts/failover.sh " + result.plan().again()),
                        result.logs().stream().map(line -> "    " + line))
                .flatMap(lines -> lines);
    }

    private boolean sum() {
        out.println();
        FailoverReport report = report();
        report.table().forEach(out::println);
        long failed = played.stream().filter(result -> !result.passed()).count();
        long skipped = played.stream().filter(result -> !result.played()).count();
        out.printf(
                Locale.ROOT,
                "%nfailover drills=%d outages=%d failed=%d skipped=%d report=%s%n",
                played.size(),
                report.outages(),
                failed,
                skipped,
                folder.resolve("failover.html"));
        out.flush();
        return failed == 0;
    }
}
