package io.holdfast.management.doctor;

import io.holdfast.agent.AgentConfig;
import io.holdfast.agent.freeze.FreezeRecord;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordStore;
import io.holdfast.net.Addresses;
import io.holdfast.net.Spans;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** How things are at this moment: whether the agent runs, its servers serve, and VMs are frozen. */
final class LiveChecks {
    private final Host host;
    private final List<Finding> findings = new ArrayList<>();

    private LiveChecks(Host host) {
        this.host = host;
    }

    static List<Finding> of(Host host, AgentConfig agent, Doctor.Knock knock) {
        LiveChecks checks = new LiveChecks(host);
        checks.agent();
        agent.servers().forEach(server -> checks.server(server, knock));
        for (FreezeRecord record : RecordStore.peek(checks.below(agent.stateDirectory()))) {
            checks.vm(record);
        }
        return checks.findings;
    }

    /** Of the machine that is looked at: a test plants its own. */
    private Path below(Path path) {
        return path.startsWith(host.root()) ? path : host.at(path.toString().substring(1));
    }

    private void agent() {
        findings.add(
                host.holdfast("agent").isPresent()
                        ? Finding.ok("agent", "an agent runs")
                        : Finding.fail(
                                "agent",
                                "no agent runs here: when the server is lost, guests stall instead of being frozen",
                                "systemctl enable --now holdfast-agent.socket holdfast-agent.service"));
    }

    private void server(InetSocketAddress address, Doctor.Knock knock) {
        String server = "the server at " + Addresses.print(address);
        try {
            findings.add(Finding.ok("server", server + " serves " + knock.at(address)));
        } catch (IOException e) {
            findings.add(Finding.fail(
                    "server",
                    server + " is away: " + e.getMessage() + "; VMs with disks there wait for it",
                    "start it, or mend the way to it; on its host: systemctl status holdfast, journalctl -u holdfast"));
        }
    }

    private void vm(FreezeRecord record) {
        if (record.pid() > 0 && !Files.exists(host.at("proc/" + record.pid()))) {
            // QEMU has ended since.
            return;
        }
        if (record.pausedByUs()) {
            Instant since = Instant.ofEpochMilli(record.sinceEpochMs());
            findings.add(Finding.fail(
                    "vm-frozen",
                    "vm " + record.vm() + " is frozen since "
                            + since.atZone(ZoneId.systemDefault()).toLocalTime().truncatedTo(ChronoUnit.SECONDS)
                            + ", for " + Spans.print(System.currentTimeMillis() - record.sinceEpochMs()) + ": "
                            + (record.hold().isEmpty() ? record.reason() : record.hold()),
                    record.hold().isEmpty()
                            ? "it goes on by itself when its server serves its disks again; journalctl -u holdfast-agent"
                            : "look at its disk; then reset it, or resume it by hand"));
        } else if (record.state() == FreezeState.HELD_BY_OTHER) {
            findings.add(
                    Finding.ok("vm-frozen", "vm " + record.vm() + " is paused, and not by us: " + record.reason()));
        }
    }
}
