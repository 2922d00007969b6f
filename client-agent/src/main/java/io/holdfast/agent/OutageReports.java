package io.holdfast.agent;

import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.linux.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a report of each outage: when what happened to the server and to each VM, as text and as a picture. An outage
 * begins with the first VM that is frozen, or the server that is lost, and ends when no VM is frozen any more. Called on
 * the agent's loop; writes elsewhere.
 */
public final class OutageReports implements AgentListener {
    /** The oldest go when there are more. */
    static final int MAX_REPORTS = 200;
    /** An outage whose VMs flap must not fill the memory. */
    static final int MAX_MOMENTS = 10_000;

    /** What is kept of the time before an outage: the loss of the server is told before or after the first freeze. */
    private static final int RECENT = 16;

    private static final Logger LOG = LoggerFactory.getLogger(OutageReports.class);
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS").withZone(ZoneOffset.UTC);

    private final Path folder;
    private final Executor writer;
    private final LongSupplier clockMs;
    private final List<OutageTimeline.Moment> moments = new ArrayList<>();
    private final Set<String> held = new LinkedHashSet<>();
    private boolean underWay;

    /**
     * @param folder where the reports go; made if it is missing
     * @param clockMs milliseconds since 1970
     */
    public OutageReports(Path folder, Executor writer, LongSupplier clockMs) {
        this.folder = folder;
        this.writer = writer;
        this.clockMs = clockMs;
    }

    @Override
    public void vmChanged(String vm, FreezeState from, FreezeState to, String why, long heldMs) {
        if (to == FreezeState.FREEZING || to == FreezeState.FROZEN) {
            underWay = true;
            held.add(vm);
        }
        note("vm " + vm, to.name(), why);
        if (to == FreezeState.RUNNING || to == FreezeState.ABSENT || to == FreezeState.HELD_BY_OTHER) {
            held.remove(vm);
            if (underWay && held.isEmpty()) {
                end();
            }
        }
    }

    @Override
    public void vmWarning(String vm, String what) {
        note("vm " + vm, "warning", what);
    }

    @Override
    public void serverServes(String server, long epoch) {
        note("server", "serves", server);
    }

    @Override
    public void serverLost(String why) {
        note("server", "lost", why);
    }

    private void note(String lane, String what, String detail) {
        if (moments.size() < MAX_MOMENTS) {
            moments.add(new OutageTimeline.Moment(clockMs.getAsLong(), lane, what, detail));
        }
        if (!underWay && moments.size() > RECENT) {
            moments.remove(0);
        }
    }

    private void end() {
        underWay = false;
        List<OutageTimeline.Moment> all = List.copyOf(moments);
        moments.clear();
        long firstMs = all.stream()
                .filter(moment -> moment.what().equals(FreezeState.FREEZING.name())
                        || moment.what().equals(FreezeState.FROZEN.name())
                        || moment.what().equals("lost"))
                .mapToLong(OutageTimeline.Moment::atMs)
                .min()
                .orElse(0);
        OutageTimeline timeline = new OutageTimeline(
                all.stream().filter(moment -> moment.atMs() >= firstMs).toList());
        LOG.info("outage over: {}", timeline.summary());
        writer.execute(() -> write(timeline));
    }

    private void write(OutageTimeline timeline) {
        String name = "outage-" + NAME.format(Instant.ofEpochMilli(timeline.beganMs()));
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(name + ".txt"), timeline.text());
            Files.writeString(folder.resolve(name + ".svg"), timeline.svg());
            removeOldest();
        } catch (IOException e) {
            LOG.warn("the report {} cannot be written: {}", folder.resolve(name), FileFailure.inWords(e));
        }
    }

    private void removeOldest() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> reports = files.filter(
                            file -> file.getFileName().toString().startsWith("outage-"))
                    .sorted()
                    .toList();
            for (Path old : reports.subList(0, Math.max(0, reports.size() - 2 * MAX_REPORTS))) {
                Files.delete(old);
            }
        }
    }
}
