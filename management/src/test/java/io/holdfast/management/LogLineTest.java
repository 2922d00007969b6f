package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LogLineTest {
    private final LoggerContext context = new LoggerContext();

    @Test
    void shouldPutTimeLevelClassAndMessageOnOneLine() {
        String line = line(Level.INFO, "serving {} logical units", null, 2);

        assertThat(line)
                .matches(
                        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-]\\d\\d:\\d\\d) INFO  TargetServer       "
                                + "serving 2 logical units\n");
    }

    @Test
    void shouldPutAStackTraceBelowTheMessage() {
        String lines = line(Level.ERROR, "closing it failed", new IllegalStateException("no disk"));

        assertThat(lines.lines().toList())
                .hasSizeGreaterThan(2)
                .satisfies(all -> assertThat(all.get(0)).endsWith("closing it failed"))
                .satisfies(all -> assertThat(all.get(1)).isEqualTo("java.lang.IllegalStateException: no disk"));
    }

    private String line(Level level, String message, @Nullable Throwable thrown, Object... arguments) {
        LogLine layout = new LogLine();
        layout.start();
        return layout.doLayout(new LoggingEvent(
                "", context.getLogger("io.holdfast.management.TargetServer"), level, message, thrown, arguments));
    }
}
