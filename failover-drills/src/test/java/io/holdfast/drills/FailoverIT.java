package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.testimages.GuestImages;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A few of the drills of {@code scripts/failover.sh}, always the same: what a guest suffers fails them, and no freeze too many. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class FailoverIT {
    private static final long SEED = 20_261_128;

    @TempDir
    private Path work = Path.of("");

    private GuestImages images = new GuestImages(Path.of(""), Path.of(""), Path.of(""), Path.of(""));

    @BeforeAll
    void prepareImages() throws InterruptedException {
        images = FailoverDrillIT.imagesOrSkip();
    }

    static List<FailoverPlan> plans() {
        return FailoverSelection.few(SEED);
    }

    @ParameterizedTest
    @MethodSource("plans")
    void shouldLetNoGuestNotice(FailoverPlan plan) throws InterruptedException {
        Path holdfast = Path.of(System.getProperty("holdfast.checkout", ".."), "scripts", "holdfast");
        Drill.Setting setting =
                new Drill.Setting(holdfast.toAbsolutePath().normalize(), images, work, Drill.KeepLogs.NO);

        FailoverResult result = new FailoverDrill(
                        plan, setting, (who, what) -> System.out.println(plan.fault() + ": " + what), Judgement.HARM)
                .run();

        assertThat(result.reasons())
                .as("scripts/failover.sh %s%n%s", plan.again(), String.join("\n", result.logs()))
                .isEmpty();
        assertThat(work).as("what the drill left behind").isEmptyDirectory();
        if (!result.played()) {
            FailoverDrillIT.skip(result.skipped());
        }
    }
}
