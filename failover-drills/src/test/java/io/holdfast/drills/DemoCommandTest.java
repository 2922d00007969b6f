package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class DemoCommandTest {
    private final StringWriter err = new StringWriter();
    private final StringWriter out = new StringWriter();

    private CommandLine commandLine() {
        return DemoCommand.commandLine().setErr(new PrintWriter(err)).setOut(new PrintWriter(out));
    }

    private List<DrillPlan> plans(String... arguments) {
        CommandLine commandLine = commandLine();
        commandLine.parseArgs(arguments);
        return commandLine.<DemoCommand>getCommand().plans();
    }

    @Test
    void shouldKillTheServerOfOneVirtioBlkGuestForSixSecondsByDefault() {
        assertThat(plans()).containsExactly(Examples.plan());
    }

    @Test
    void shouldCombineDevicesOutagesAndRepeats() {
        List<DrillPlan> plans = plans("--device", "all", "--outage", "1,6.5", "--fault", "kill,stop", "--repeat", "2");

        assertThat(plans).hasSize(3 * 2 * 2 * 2);
        assertThat(plans.subList(0, 12)).doesNotHaveDuplicates().isEqualTo(plans.subList(12, 24));
        assertThat(plans.get(3).outageSeconds()).isEqualTo("6.5");
    }

    @Test
    void shouldGoStraightToTheServerWithoutAgent() {
        assertThat(plans("--without-agent")).containsExactly(Examples.controlPlan());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--device virtio-net | --device virtio-net: allowed are virtio-blk, virtio-blk-iothread, virtio-scsi, all",
                "--fault pull        | --fault pull: allowed are kill, stop",
                "--outage -1         | --outage -1: 0 to 3600 seconds are allowed",
                "--repeat 0          | --repeat 0: a number from 1 to 1000 is allowed",
                "--outage soon       | Invalid value for option '--outage' (SECONDS): 'soon' is not a number",
                "--repeat often      | Invalid value for option '--repeat': 'often' is not a whole number",
                "--holdfast /nowhere | cannot run /nowhere",
                "--work /no/dir      | --work /no/dir: give a folder that exists",
                "--colour            | Unknown option: '--colour'"
            })
    void shouldRefuseWrongArgumentsWithTheValueAndWhatIsAllowed(String arguments, String message) {
        int exitCode = commandLine().execute(arguments.split(" "));

        assertThat(exitCode).isEqualTo(2);
        assertThat(err.toString()).contains(message);
        assertThat(err.toString().lines().count()).as("lines").isLessThanOrEqualTo(2);
    }

    @Test
    void shouldSayInOneLineThatTheResultsCannotBeWritten() {
        assertThat(commandLine().execute("--json", "/no/dir/x")).isEqualTo(2);
        assertThat(err.toString()).startsWith("demo.sh: --json /no/dir/x: ").hasLineCount(1);
    }

    @Test
    void shouldSayInOneLineThatTheImagesCannotBeBuilt(@TempDir Path empty) {
        String before = System.setProperty("holdfast.checkout", empty.toString());
        try {
            assertThat(commandLine().execute("--holdfast", "/bin/true")).isEqualTo(1);
        } finally {
            if (before == null) {
                System.clearProperty("holdfast.checkout");
            } else {
                System.setProperty("holdfast.checkout", before);
            }
        }
        assertThat(err.toString())
                .startsWith("demo.sh: no test-images/build.sh in " + empty)
                .hasLineCount(1);
    }

    @Test
    void shouldExplainItself() {
        assertThat(commandLine().execute("--help")).isZero();
        assertThat(out.toString()).contains("--without-agent", "--outage", "Exit code: 0 every guest survived");
    }
}
