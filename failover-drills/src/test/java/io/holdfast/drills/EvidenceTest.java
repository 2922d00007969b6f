package io.holdfast.drills;

import static io.holdfast.drills.Examples.ms;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.MissingNode;
import io.holdfast.testimages.GuestReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class EvidenceTest {
    private static final long FAULT_NS = ms(1000);

    private final FactLog facts = new FactLog();
    private final GuestClock clock = new GuestClock();
    private final List<Observer.Event> events = new ArrayList<>();
    private OptionalLong stoppedNs = OptionalLong.empty();
    private OptionalLong standstillNs = OptionalLong.empty();
    private OptionalLong hungUpNs = OptionalLong.of(ms(1002));
    private DrillPlan plan = Examples.plan();

    private Evidence evidence() {
        return new Evidence(
                plan,
                FAULT_NS,
                OptionalLong.of(ms(1003)),
                hungUpNs,
                OptionalLong.of(ms(7000)),
                OptionalLong.of(ms(7290)),
                stoppedNs,
                standstillNs,
                facts,
                events,
                List.of(new Observer.Probe(ms(1250), OptionalDouble.of(0.4), "io-error")),
                clock,
                List.of(new Child.Line(
                        ms(1001), "2026-11-20T11:37:47.319Z WARN  Agent              server 127.0.0.1:30541 lost")),
                ms(9000));
    }

    private void event(double atMs, String name) {
        events.add(new Observer.Event(ms(atMs), name, MissingNode.getInstance()));
    }

    private Findings findings() {
        return Findings.from(
                evidence(), new Evidence.Aftermath(0, List.of(), 0, List.of(), false, Optional.empty(), 10));
    }

    @Test
    void shouldBelieveTheGuestsOwnCountOfComplaintsWhenLinesWereLost() {
        GuestReport said = new GuestReport();
        said.accept("kmsg 4 INFO: task jbd2 blocked for more than 10 seconds.", 1);
        said.accept("report errors=0 kmsg=3 remounted_ro=no boot=b1", 2);

        assertThat(Drill.aftermath(said, Optional.empty()).kernelComplaintCount())
                .isEqualTo(3);
    }

    @Test
    void shouldTakeTheStopEventForTheFreeze() {
        event(1004, "STOP");
        standstillNs = OptionalLong.of(ms(1003));

        assertThat(evidence().frozenNs()).isEqualTo(OptionalLong.of(ms(1004)));
    }

    @Test
    void shouldTakeTheStandstillAndATickWhenTheEventWasHeldBack() {
        standstillNs = OptionalLong.of(ms(1003));
        event(7005, "STOP");

        assertThat(evidence().frozenNs()).isEqualTo(OptionalLong.of(ms(1023)));
    }

    @Test
    void shouldBelieveQemusOwnRecordBeforeAnythingElse() {
        standstillNs = OptionalLong.of(ms(1003));
        stoppedNs = OptionalLong.of(ms(1008));
        event(1030, "STOP");

        assertThat(evidence().frozenNs()).isEqualTo(OptionalLong.of(ms(1008)));
    }

    @Test
    void shouldNotBeFrozenByAStopBeforeTheFault() {
        event(500, "STOP");

        assertThat(evidence().frozenNs()).isEmpty();
        assertThat(findings().freezeMs()).isEmpty();
    }

    @Test
    void shouldMeasureTheThawFromTheNextServersFirstConnection() {
        event(1004, "STOP");
        facts.began(FactLog.Fact.SERVER_LISTENS, ms(7280));
        Examples.tick(clock, 1000, 100);
        Examples.ack(clock, 7311, 130);

        assertThat(findings().thawMs()).hasValue(31.0);
    }

    @Test
    void shouldCountEveryPauseAfterTheFault() {
        event(1004, "STOP");
        event(7300, "RESUME");
        event(7305, "STOP");
        event(7310, "RESUME");

        assertThat(findings().pauses()).isEqualTo(2);
    }

    @Test
    void shouldSeeThatAPlannedStopFrozeTheGuestFirst() {
        plan = new DrillPlan(DeviceKind.VIRTIO_BLK, Boot.KERNEL, Fault.STOP, plan.outage(), Route.THROUGH_AGENT);
        event(1001, "STOP");

        assertThat(findings().frozenFirst()).contains(true);
    }

    @Test
    void shouldSeeThatAPlannedStopClosedAConnectionBeforeTheGuestWasFrozen() {
        plan = new DrillPlan(DeviceKind.VIRTIO_BLK, Boot.KERNEL, Fault.STOP, plan.outage(), Route.THROUGH_AGENT);
        event(1004, "STOP");

        assertThat(findings().frozenFirst()).contains(false);
    }

    @Test
    void shouldTellTheStoryInOrder() {
        event(1004, "STOP");
        event(7300, "RESUME");
        standstillNs = OptionalLong.of(ms(1003.5));
        facts.began(FactLog.Fact.QEMU_AT_PORTAL, ms(1003.6));
        facts.began(FactLog.Fact.SERVER_LISTENS, ms(7280));
        facts.began(FactLog.Fact.QEMU_AT_SERVER, ms(7299));
        Examples.tick(clock, 995, 100);
        Examples.ack(clock, 7311, 130);

        assertThat(Story.of(evidence()).stream().map(Timeline.Moment::what))
                .containsExactly(
                        "guest's last tick",
                        "server killed",
                        "agent says",
                        "its connections are closed",
                        "its process has ended",
                        "vCPU threads last ran",
                        "QEMU is at the agent's portal",
                        "guest is frozen",
                        "QMP answers",
                        "next server is started",
                        "it listens",
                        "it says that it serves",
                        "QEMU is at the server",
                        "guest runs on",
                        "guest's first durable write");
    }

    @Test
    void shouldTellWhatTheAgentSaidWithoutItsOwnTime() {
        assertThat(Story.of(evidence()))
                .filteredOn(moment -> moment.what().equals("agent says"))
                .extracting(Timeline.Moment::detail)
                .containsExactly("server 127.0.0.1:30541 lost");
    }
}
