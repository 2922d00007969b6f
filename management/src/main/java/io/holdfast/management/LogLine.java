package io.holdfast.management;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;

/** How a log line looks: time with milliseconds and offset, level, class, message; a stack trace on lines below it. */
final class LogLine extends LayoutBase<ILoggingEvent> {
    private static final int LEVEL_WIDTH = 5;
    private static final int CLASS_WIDTH = 18;

    /** Not made with the class: Java reads every time zone there is for it. */
    private static final class Time {
        static final DateTimeFormatter LOCAL =
                DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").withZone(ZoneId.systemDefault());
    }

    /** Does now what the first line would have to wait for. Thread-safe. */
    static void prepare() {
        Time.LOCAL.formatTo(Instant.EPOCH, new StringBuilder());
    }

    @Override
    public String doLayout(ILoggingEvent event) {
        StringBuilder line = new StringBuilder(128);
        Time.LOCAL.formatTo(Instant.ofEpochMilli(event.getTimeStamp()), line);
        padded(line.append(' '), event.getLevel().levelStr, LEVEL_WIDTH);
        String logger = event.getLoggerName();
        padded(line.append(' '), logger.substring(logger.lastIndexOf('.') + 1), CLASS_WIDTH);
        line.append(' ').append(event.getFormattedMessage()).append(System.lineSeparator());
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            line.append(ThrowableProxyUtil.asString(thrown)).append(System.lineSeparator());
        }
        return line.toString();
    }

    private static void padded(StringBuilder line, String text, int width) {
        line.append(text);
        for (int i = text.length(); i < width; i++) {
            line.append(' ');
        }
    }
}
