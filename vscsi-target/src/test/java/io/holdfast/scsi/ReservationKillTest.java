package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** SIGKILL, at any moment, while two nexuses take the disk from each other. */
@Timeout(120)
class ReservationKillTest {
    private static final int KILLS = 12;

    @TempDir
    Path dir;

    @Test
    void shouldHaveTheHolderThatWasLastToldSoOrOneThatIsNewer() throws Exception {
        Random random = new Random(7);
        int turn = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            String last = runAndKill(turn, 1 + random.nextInt(300));
            String[] words = last.split(" ", 3);
            LogicalUnit unit = PreemptingMain.unit(dir);
            Reserver a = Reserver.at(unit, PreemptingMain.NAMES[0], 1);
            Reserver b = Reserver.at(unit, PreemptingMain.NAMES[1], 1);
            boolean aWrites = a.write() == ScsiStatus.GOOD;
            assertThat(aWrites).as("one holder after %s", last).isNotEqualTo(b.write() == ScsiStatus.GOOD);
            int newer = a.generation() - Integer.parseInt(words[0]);
            assertThat(newer).as("changes behind %s", last).isNotNegative();
            if (newer == 0) {
                assertThat(aWrites).as(last).isEqualTo(words[1].equals(PreemptingMain.NAMES[0]));
            }
            turn = aWrites ? 1 : 0;
        }
    }

    /** The last answer of a process that was killed, not before this many. */
    private String runAndKill(int turn, int answers) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        PreemptingMain.class.getName(),
                        dir.toString(),
                        Integer.toString(turn))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
            String last = "nothing";
            int read = 0;
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                // Half a line at the end is an answer that nobody got.
                if (line.endsWith(" GOOD")) {
                    last = line;
                } else {
                    assertThat(out.readLine()).as("behind '%s'", line).isNull();
                    break;
                }
                if (++read == answers) {
                    process.toHandle().destroyForcibly(); // which leaves what it has printed readable
                }
            }
            return last;
        } finally {
            process.destroyForcibly();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
