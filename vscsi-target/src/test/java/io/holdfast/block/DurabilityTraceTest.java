package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Proves by the system calls the kernel saw that nothing is acknowledged before it is durable: each flush by an fdatasync
 * that began after the write had ended, each durable write by RWF_DSYNC, both over before the acknowledgement.
 */
@Timeout(120)
class DurabilityTraceTest {
    /** {@code 1234 fdatasync(7</tmp/disk.img>) = 0}, or its first half. */
    private static final Pattern START = Pattern.compile("^(\\d+) +(\\w+)\\((.*)$");

    private static final Pattern RESUMED = Pattern.compile("^(\\d+) +<\\.\\.\\. (\\w+) resumed>(.*)$");
    private static final String UNFINISHED = "<unfinished ...>";

    /** A system call and the lines of the trace at which it began and ended. */
    private record Call(String name, String text, int start, int end) {
        boolean returned(int value) {
            return text.endsWith("= " + value);
        }
    }

    @TempDir
    Path dir;

    @BeforeAll
    static void requireStrace() throws Exception {
        String said = RootRig.run("strace", "-f", "-o", "/dev/null", "true");
        assumeTrue(said.isEmpty(), "skipped: strace says: " + said);
    }

    @Test
    void shouldAcknowledgeNothingBeforeItIsDurable() throws Exception {
        List<Call> calls = trace();
        for (int i = 0; i < TracedMain.ROUNDS; i++) {
            assertThat(flushedInTime(calls, i)).as("flush %d in %s", i, calls).isTrue();
            assertThat(writtenDurablyInTime(calls, i))
                    .as("durable write %d in %s", i, calls)
                    .isTrue();
        }
    }

    /** The control run: acknowledgements that come too early are seen. */
    @Test
    void shouldSeeAnAcknowledgementThatComesTooEarly() throws Exception {
        List<Call> calls = trace("early");
        for (int i = 0; i < TracedMain.ROUNDS; i++) {
            assertThat(flushedInTime(calls, i)).as("flush %d", i).isFalse();
            assertThat(writtenDurablyInTime(calls, i)).as("durable write %d", i).isFalse();
        }
    }

    private static boolean flushedInTime(List<Call> calls, int round) {
        Call written = write(calls, (long) round * TracedMain.BLOCK_BYTES, "0");
        Call noted = note(calls, "flush " + round);
        return calls.stream()
                .filter(call -> call.name.equals("fdatasync") && call.text.contains("disk.img"))
                .anyMatch(sync -> sync.returned(0) && sync.start > written.end && sync.end < noted.start);
    }

    private static boolean writtenDurablyInTime(List<Call> calls, int round) {
        long offset = TracedMain.DURABLE_START + (long) round * TracedMain.BLOCK_BYTES;
        return write(calls, offset, "RWF_DSYNC").end < note(calls, "durable " + round).start;
    }

    private static Call write(List<Call> calls, long offset, String flags) {
        return calls.stream()
                .filter(call -> call.name.equals("pwritev2")
                        && call.text.contains(", 1, " + offset + ", " + flags + ")")
                        && call.returned(TracedMain.BLOCK_BYTES))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no write at " + offset + " with " + flags + " in " + calls));
    }

    private static Call note(List<Call> calls, String text) {
        return calls.stream()
                .filter(call -> call.text.contains('"' + text + '"'))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no acknowledgement of " + text + " in " + calls));
    }

    private List<Call> trace(String... extra) throws Exception {
        Path image = dir.resolve("disk.img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(2 << 20);
        }
        Path journal = Files.createFile(dir.resolve("journal"));
        Path trace = dir.resolve("trace");
        List<String> command = new ArrayList<>(List.of("strace", "-f", "-y", "-s", "20", "-o", trace.toString()));
        command.addAll(List.of("-e", "trace=fdatasync,pwritev2,pwrite64,write", "--signal=none"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(TracedMain.class.getName(), image.toString(), journal.toString()));
        command.addAll(List.of(extra));
        String said = RootRig.run(command.toArray(String[]::new));
        assertThat(said).as("the traced program says").doesNotContain("Exception");
        return parse(Files.readAllLines(trace));
    }

    private static List<Call> parse(List<String> lines) {
        List<Call> calls = new ArrayList<>();
        Map<String, Call> open = new HashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            Matcher start = START.matcher(lines.get(i));
            Matcher resumed = RESUMED.matcher(lines.get(i));
            if (resumed.matches()) {
                Call begun = open.remove(resumed.group(1));
                if (begun != null) {
                    calls.add(new Call(begun.name, begun.text + resumed.group(3), begun.start, i));
                }
            } else if (start.matches()) {
                Call call = new Call(start.group(2), start.group(3).replace(UNFINISHED, ""), i, i);
                if (lines.get(i).endsWith(UNFINISHED)) {
                    open.put(start.group(1), call);
                } else {
                    calls.add(call);
                }
            }
        }
        return calls;
    }
}
