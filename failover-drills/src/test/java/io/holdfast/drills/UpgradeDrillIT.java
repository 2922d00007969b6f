package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.testimages.GuestImages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The short form of {@code scripts/upgrade-drill.sh}: it judges what was lost, not how long it took. */
@Timeout(420)
class UpgradeDrillIT {
    @TempDir
    private Path work = Path.of("");

    @Test
    void shouldRestartTheServerUnderGuestsThatLoseNothing() throws InterruptedException {
        GuestImages images = FailoverDrillIT.imagesOrSkip();
        Path holdfast = Path.of(System.getProperty("holdfast.checkout", ".."), "scripts", "holdfast");
        Drill.Setting setting =
                new Drill.Setting(holdfast.toAbsolutePath().normalize(), images, work, Drill.KeepLogs.NO);
        List<String> told = new ArrayList<>();
        UpgradeResult result = new UpgradeDrill(
                        new UpgradeDrill.Plan(2, 1, 20),
                        setting,
                        (who, what) -> told.add(who + ": " + what),
                        Judgement.HARM)
                .run();
        assertThat(result.survived())
                .as(
                        "%s%n%s%n%s",
                        result.reasons(), String.join("\n", told), String.join(System.lineSeparator(), result.logs()))
                .isTrue();
        assertThat(result.line())
                .startsWith("survived=yes guests=2 restarts=1 stop_to_serving_median_ms=")
                .endsWith(" lost=0");
        assertThat(result.stallsMs()).as("one of each guest").hasSize(2).allMatch(ms -> ms > 0);
        assertThat(work).as("what the drill left behind").isEmptyDirectory();
    }
}
