package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class UpgradeCommandTest {
    private final StringWriter err = new StringWriter();

    private CommandLine commandLine() {
        return UpgradeCommand.commandLine().setErr(new PrintWriter(err)).setOut(new PrintWriter(err));
    }

    @Test
    void shouldRestartTheServerOfTenGuestsThreeTimesByDefault() {
        CommandLine commandLine = commandLine();
        commandLine.parseArgs();
        assertThat(commandLine.<UpgradeCommand>getCommand().plan()).isEqualTo(new UpgradeDrill.Plan(10, 3, 50));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--guests 0     | --guests 0: a number from 1 to 64 is allowed",
                "--restarts 0   | --restarts 0: a number from 1 to 1000 is allowed",
                "--pause -1     | --pause -1: a number from 0 to 10000 is allowed",
                "--guests=many  | 'many' is not a whole number"
            })
    void shouldRefuseWrongArgumentsWithTheValueAndWhatIsAllowed(String arguments, String message) {
        assertThat(commandLine().execute(arguments.split(" ", -1))).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    @Test
    void shouldFailAResultThatWasTooSlowForWhoeverAsked() {
        UpgradeResult.Builder builder = new UpgradeResult.Builder(new UpgradeDrill.Plan(1, 1, 50), Judgement.EXACT);
        builder.restart(new UpgradeDrill.Restart(0, 100_000_000, 400_000_000));
        builder.stall(612.5);
        UpgradeResult result = builder.judged();
        assertThat(result.line())
                .isEqualTo(
                        "survived=yes guests=1 restarts=1 stop_to_serving_median_ms=400.0 stop_to_serving_max_ms=400.0"
                                + " stall_median_ms=612.5 stall_max_ms=612.5 guest_errors=0 acked=0 lost=0");
        assertThat(result.failed("too slow").line()).startsWith("survived=no").endsWith("reason=\"too slow\"");
    }
}
