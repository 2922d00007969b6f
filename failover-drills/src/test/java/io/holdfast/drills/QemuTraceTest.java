package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuTraceTest {
    @TempDir
    Path dir;

    private QemuTrace traceOf(String... lines) throws IOException {
        Path file = dir.resolve("qemu.trace");
        Files.writeString(file, String.join("\n", lines) + "\n");
        return new QemuTrace(file);
    }

    private static String line(Instant at, String rest) {
        return String.format(Locale.ROOT, "4711@%d.%06d:%s", at.getEpochSecond(), at.getNano() / 1000, rest);
    }

    @Test
    void shouldTellWhenTheVcpusStopped() throws IOException {
        long nowNs = System.nanoTime();
        Instant now = Instant.now();
        QemuTrace trace = traceOf(
                line(now.minusSeconds(9), "vm_state_notify running 1 reason 9 (running)"),
                "qemu-system-x86_64: warning: something else",
                line(now.plusMillis(8), "vm_state_notify running 0 reason 2 (io-error)"));

        OptionalLong stopped = trace.stoppedFrom(nowNs);

        assertThat(stopped.orElseThrow() - nowNs).isCloseTo(8_000_000L, within(2_000_000L));
        assertThat(trace.changes()).hasSize(2);
        assertThat(trace.changes().get(1).reason()).isEqualTo("io-error");
    }

    @Test
    void shouldNotTakeAnEarlierStopForThisOne() throws IOException {
        QemuTrace trace = traceOf(line(Instant.now().minusSeconds(5), "vm_state_notify running 0 reason 4 (paused)"));

        assertThat(trace.stoppedFrom(System.nanoTime())).isEmpty();
    }

    @Test
    void shouldKnowNothingWithoutARecord() {
        assertThat(new QemuTrace(dir.resolve("none")).stoppedFrom(0)).isEmpty();
    }
}
