package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LogFloodTest {
    private static final String IN_VAIN = "{}: closed: {}";

    private final LoggerContext context = new LoggerContext();
    private final AtomicLong now = new AtomicLong();
    private final LogFlood flood = new LogFlood(now::get);

    private ILoggingEvent line(String logger, String message, Object... values) {
        Logger from = context.getLogger(logger);
        return new LoggingEvent("test", from, Level.WARN, message, null, values);
    }

    private boolean written(String logger, String message, Object... values) {
        return flood.decide(line(logger, message, values)) != FilterReply.DENY;
    }

    private long countOf(int lines, String logger, String message) {
        long count = 0;
        for (int i = 0; i < lines; i++) {
            count += written(logger, message, i) ? 1 : 0;
        }
        return count;
    }

    @Test
    void shouldLeaveOutWhatAStrangerRepeats() {
        assertThat(countOf(10_000, "io.holdfast.iscsi.IscsiConnection", IN_VAIN))
                .isEqualTo(LogFlood.BURST);
        assertThat(countOf(10_000, "io.holdfast.control.AgentConnection", "control connection from {} refused: {}"))
                .isEqualTo(LogFlood.BURST);
    }

    @Test
    void shouldWriteOneLineEachSecondWhileTheFloodLasts() {
        countOf(10_000, "io.holdfast.iscsi.IscsiConnection", IN_VAIN);

        now.addAndGet(TimeUnit.SECONDS.toNanos(3));

        assertThat(countOf(10_000, "io.holdfast.iscsi.IscsiConnection", IN_VAIN))
                .isEqualTo(3);
    }

    @Test
    void shouldWriteOtherLinesDuringAFlood() {
        countOf(10_000, "io.holdfast.iscsi.IscsiConnection", IN_VAIN);

        assertThat(written("io.holdfast.iscsi.IscsiConnection", "{}: logged in to {}", "a", "b"))
                .isTrue();
    }

    @Test
    void shouldNeverLeaveOutWhatConcernsVmsAndImages() {
        assertThat(countOf(10_000, "io.holdfast.agent.VmKeeper", "vm {}: {}")).isEqualTo(10_000);
        assertThat(countOf(10_000, "io.holdfast.block.FileBackend", "{}")).isEqualTo(10_000);
    }
}
