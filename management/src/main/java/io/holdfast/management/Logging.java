package io.holdfast.management;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.Reporter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Log lines: to standard error, one line each, with milliseconds.
 *
 * <p>Logback is set up here, in code, and named to SLF4J as its provider, so that it does not look for a configuration of
 * its own: the search, the default configuration and the pattern language together cost a tenth of a second at every start,
 * while guests wait.
 */
public final class Logging implements SLF4JServiceProvider {
    /** Overrides the level: {@code HOLDFAST_LOG=debug}. */
    static final String LEVEL_VARIABLE = "HOLDFAST_LOG";

    /** Another form of lines: {@code HOLDFAST_LOG_FORMAT=json}. */
    static final String FORMAT_VARIABLE = "HOLDFAST_LOG_FORMAT";

    /** The SLF4J API that this was written for; SLF4J compares it with its own. */
    private static final String API_VERSION = "2.0.99";

    private final LoggerContext context = new LoggerContext();
    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final LogbackMDCAdapter diagnostics = new LogbackMDCAdapter();

    /** INFO and worse, unless {@link #LEVEL_VARIABLE} says otherwise. */
    static void start() {
        start(Level.toLevel(System.getenv(LEVEL_VARIABLE), Level.INFO));
    }

    /** INFO and worse, whatever {@link #LEVEL_VARIABLE} says. */
    static void startPlain() {
        start(Level.INFO);
    }

    private static void start(Level level) {
        System.setProperty(LoggerFactory.PROVIDER_PROPERTY_KEY, Logging.class.getName());
        // SLF4J would announce the choice on standard error.
        System.setProperty(Reporter.SLF4J_INTERNAL_VERBOSITY_KEY, "WARN");
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger("io.holdfast").setLevel(level);
        }
    }

    @Override
    public void initialize() {
        context.setName("holdfast");
        context.setMDCAdapter(diagnostics);
        LayoutBase<ILoggingEvent> layout =
                "json".equals(System.getenv(FORMAT_VARIABLE)) ? new JsonLogLine() : new LogLine();
        layout.setContext(context);
        layout.start();
        LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
        encoder.setContext(context);
        encoder.setLayout(layout);
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.addFilter(new LogFlood());
        appender.start();
        var root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.addAppender(appender);
        root.setLevel(Level.WARN);
        context.start();
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return context;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return diagnostics;
    }

    @Override
    public String getRequestedApiVersion() {
        return API_VERSION;
    }
}
