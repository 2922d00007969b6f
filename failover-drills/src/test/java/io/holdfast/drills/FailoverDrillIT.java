package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.holdfast.testimages.GuestImages;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real guests, a real server, a real agent. Each drill takes about ten seconds. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class FailoverDrillIT {
    private static final Duration OUTAGE = Duration.ofSeconds(2);

    /** Far above what a quiet machine shows, far below the outage: this tells frozen from stalled on a busy one too. */
    private static final double FROZEN_STALL_MS = OUTAGE.toMillis() / 2.0;

    @TempDir
    private Path work = Path.of("");

    private final List<String> told = new ArrayList<>();
    private GuestImages images = new GuestImages(Path.of(""), Path.of(""), Path.of(""), Path.of(""));

    @BeforeAll
    void prepareImages() throws InterruptedException {
        images = imagesOrSkip();
    }

    static GuestImages imagesOrSkip() throws InterruptedException {
        boolean qemu = Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "qemu-system-x86_64")));
        if (!qemu) {
            skip("no qemu-system-x86_64 on the PATH (scripts/setup.sh installs it)");
        }
        try {
            return GuestImages.build();
        } catch (IOException e) {
            skip("the guest images cannot be built: " + e.getMessage());
            throw new IllegalStateException("skipped", e);
        }
    }

    static void skip(String reason) {
        // Aloud: a run without its drills must not look like one with them.
        System.out.println("skipped: failover drills: " + reason);
        abort(reason);
    }

    private DrillResult drill(DeviceKind device, Fault fault, Route route) throws InterruptedException {
        return drill(device, Boot.KERNEL, fault, route);
    }

    private DrillResult drill(DeviceKind device, Boot boot, Fault fault, Route route) throws InterruptedException {
        Path holdfast = Path.of(System.getProperty("holdfast.checkout", ".."), "scripts", "holdfast");
        Drill.Setting setting =
                new Drill.Setting(holdfast.toAbsolutePath().normalize(), images, work, Drill.KeepLogs.NO);
        DrillPlan plan = new DrillPlan(device, boot, fault, OUTAGE, route);
        told.clear();
        return new Drill(plan, setting, (who, what) -> told.add(who + ": " + what), Drill.Pause.NONE).run();
    }

    private void requireSurvival(DrillResult result) {
        assertThat(result.verdict().survived())
                .as("%s%n%s%n%s%n%s", result.verdict().line(), String.join("\n", told), story(result), logs(result))
                .isTrue();
        assertThat(work).as("what the drill left behind").isEmptyDirectory();
    }

    private static String story(DrillResult result) {
        return String.join("\n", new TimelinePrinter(Palette.PLAIN).lines(result.moments(), result.faultNs()));
    }

    private static String logs(DrillResult result) {
        return String.join("\n", result.logs());
    }

    @ParameterizedTest
    @EnumSource(DeviceKind.class)
    void shouldFreezeAndThawTheGuestWhenTheServerIsKilled(DeviceKind device) throws InterruptedException {
        DrillResult result = drill(device, Fault.KILL, Route.THROUGH_AGENT);

        requireSurvival(result);
        Findings findings = result.verdict().findings();
        assertThat(findings.stallMs().orElseThrow())
                .as("longest stall by the guest's clock%n%s", story(result))
                .isLessThan(FROZEN_STALL_MS);
        assertThat(findings.probesAnswered())
                .as("answers of QEMU's monitor while the server was away%n%s", story(result))
                .isEqualTo(findings.probes())
                .isPositive();
    }

    @Test
    void shouldBootThroughSeaBiosFromALogicalUnitAndOutliveItsServer() throws InterruptedException {
        requireSurvival(drill(DeviceKind.VIRTIO_SCSI, Boot.BIOS, Fault.KILL, Route.THROUGH_AGENT));
    }

    @Test
    void shouldFreezeTheGuestBeforeAPlannedStopClosesAConnection() throws InterruptedException {
        DrillResult result = drill(DeviceKind.VIRTIO_BLK, Fault.STOP, Route.THROUGH_AGENT);

        requireSurvival(result);
        assertThat(result.verdict().findings().frozenFirst()).as(story(result)).contains(true);
    }

    @Test
    void shouldSeeTheGuestStallUnfrozenWhenThereIsNoAgent() throws InterruptedException {
        DrillResult result = drill(DeviceKind.VIRTIO_BLK, Fault.KILL, Route.STRAIGHT_TO_SERVER);

        // Survival is not asked for: this run shows that the drill tells a protected guest from an unprotected one.
        Findings findings = result.verdict().findings();
        assertThat(findings.freezeMs()).as(story(result)).isEmpty();
        assertThat(findings.stallMs().orElse(0))
                .as(
                        "longest stall by the guest's clock; %s%n%s",
                        result.verdict().line(), logs(result))
                .isGreaterThanOrEqualTo((double) OUTAGE.toMillis());
    }
}
