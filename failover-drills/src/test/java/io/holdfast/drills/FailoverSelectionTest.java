package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FailoverSelectionTest {
    @Test
    void shouldChooseTheSameBySameSeed() {
        List<FailoverFault> faults = List.of(FailoverFault.values());

        assertThat(FailoverSelection.quick(7)).isEqualTo(FailoverSelection.quick(7));
        assertThat(FailoverSelection.few(7)).isEqualTo(FailoverSelection.few(7)).isNotEqualTo(FailoverSelection.few(8));
        assertThat(FailoverSelection.sample(40, faults, 7)).isEqualTo(FailoverSelection.sample(40, faults, 7));
    }

    @Test
    void shouldHaveEveryFaultAndTheControlRunInAQuickRun() {
        List<FailoverPlan> plans = FailoverSelection.quick(3);

        assertThat(plans.get(0).route()).isEqualTo(Route.STRAIGHT_TO_SERVER);
        assertThat(plans.stream().map(FailoverPlan::fault).distinct())
                .containsExactlyInAnyOrderElementsOf(Stream.of(FailoverFault.values())
                        .filter(fault -> fault != FailoverFault.TWENTY)
                        .toList());
        assertThat(plans).allSatisfy(plan -> assertThat(plan.outage()).isLessThanOrEqualTo(Duration.ofSeconds(3)));
    }

    @Test
    void shouldHaveEveryFaultWithEveryLengthAndAllDisksAndLoads() {
        List<FailoverPlan> plans = FailoverSelection.all(3);

        for (FailoverFault fault : FailoverFault.values()) {
            if (!List.of(FailoverFault.NONE, FailoverFault.TWENTY, FailoverFault.BOTH_DEAD)
                    .contains(fault)) {
                List<FailoverPlan> own = plans.stream()
                        .filter(plan -> plan.fault() == fault && plan.route() == Route.THROUGH_AGENT)
                        .toList();
                assertThat(own)
                        .extracting(FailoverPlan::outage)
                        .doesNotHaveDuplicates()
                        .hasSize(6);
                assertThat(own).extracting(FailoverPlan::load).contains(GuestLoad.values());
                assertThat(own).extracting(FailoverPlan::disks).contains(disksFor(fault));
            }
        }
        for (Duration outage : List.of(Duration.ofMillis(500), Duration.ofMinutes(5))) {
            assertThat(plans.stream()
                            .filter(plan -> plan.outage().equals(outage) && plan.fault() != FailoverFault.TWENTY)
                            .map(plan -> plan.disks() + " " + plan.load())
                            .distinct())
                    .hasSize(GuestDisks.values().length * GuestLoad.values().length);
        }
        assertThat(plans)
                .filteredOn(plan -> plan.fault() == FailoverFault.BOTH_DEAD)
                .allSatisfy(plan -> assertThat(plan.outage()).isLessThan(Duration.ofSeconds(10)));
    }

    private static GuestDisks[] disksFor(FailoverFault fault) {
        boolean one = fault.storage() != FailoverStage.Storage.ORDINARY
                || fault.shape().scenery().spare() > 0;
        return Stream.of(GuestDisks.values())
                .filter(disks -> !(one && disks.two()))
                .toArray(GuestDisks[]::new);
    }

    @Test
    void shouldPlayLongOutagesOnceAndShortOnesAgain() {
        assertThat(FailoverSelection.all(3))
                .filteredOn(FailoverPlan::isLong)
                .allSatisfy(plan -> assertThat(plan.outages()).isEqualTo(1));
        assertThat(FailoverSelection.all(3))
                .filteredOn(plan -> plan.fault() == FailoverFault.TERM && !plan.isLong())
                .allSatisfy(plan -> assertThat(plan.outages()).isEqualTo(2));
    }

    @Test
    void shouldCombineEverythingThatGoesTogether() {
        List<FailoverPlan> plans = FailoverSelection.product(3);

        for (GuestDisks disks : GuestDisks.values()) {
            for (GuestLoad load : GuestLoad.values()) {
                assertThat(plans).anySatisfy(plan -> {
                    assertThat(plan.fault()).isEqualTo(FailoverFault.CUT);
                    assertThat(plan.disks()).isEqualTo(disks);
                    assertThat(plan.load()).isEqualTo(load);
                    assertThat(plan.outage()).isEqualTo(Duration.ofMinutes(5));
                });
            }
        }
        assertThat(plans)
                .filteredOn(plan -> plan.fault().storage() != FailoverStage.Storage.ORDINARY)
                .noneSatisfy(plan -> assertThat(plan.disks().two()).isTrue());
    }

    @Test
    void shouldPlayAgainWhatAFailureNames() {
        FailoverPlan failed = FailoverSelection.quick(5).get(9);

        FailoverCommand command = new FailoverCommand();
        new picocli.CommandLine(command).parseArgs(failed.again().split(" ", -1));

        assertThat(command.plans(failed.seed())).containsExactly(failed);
    }

    @Test
    void shouldPlayEachDrillInOnePartOnly() {
        List<FailoverPlan> together = Stream.of("1/3", "2/3", "3/3")
                .flatMap(part -> {
                    FailoverCommand command = new FailoverCommand();
                    new picocli.CommandLine(command).parseArgs("--all", "--part", part);
                    return command.plans(11).stream();
                })
                .toList();

        assertThat(together).containsExactlyInAnyOrderElementsOf(FailoverSelection.all(11));
    }
}
