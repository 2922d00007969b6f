package io.holdfast.management;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import org.slf4j.LoggerFactory;

/**
 * Log lines: to standard error, one line each, with milliseconds. Set up in code, because reading logback's XML costs more
 * than a tenth of a second at every start.
 */
final class Logging {
    /** Overrides the level: {@code HOLDFAST_LOG=debug}. */
    static final String LEVEL_VARIABLE = "HOLDFAST_LOG";

    private static final String PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %-18logger{0} %msg%n%ex";

    private Logging() {}

    /** INFO and worse, unless {@link #LEVEL_VARIABLE} says otherwise. */
    static void start() {
        start(Level.toLevel(System.getenv(LEVEL_VARIABLE), Level.INFO));
    }

    /** Only what must not go unseen. */
    static void quiet() {
        start(Level.ERROR);
    }

    private static void start(Level level) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(PATTERN);
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.addAppender(appender);
        root.setLevel(Level.WARN);
        context.getLogger("io.holdfast").setLevel(level);
    }
}
