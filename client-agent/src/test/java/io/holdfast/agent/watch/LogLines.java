package io.holdfast.agent.watch;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** Hears what a class logs at INFO and above, until it is closed. */
public final class LogLines extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    private final Logger logger;
    private final List<String> lines = new CopyOnWriteArrayList<>();

    private LogLines(Logger logger) {
        this.logger = logger;
    }

    public static LogLines of(Class<?> source) {
        LogLines heard = new LogLines((Logger) LoggerFactory.getLogger(source));
        heard.setContext(heard.logger.getLoggerContext());
        heard.start();
        heard.logger.addAppender(heard);
        heard.logger.setLevel(Level.INFO);
        return heard;
    }

    /** So far. */
    public List<String> lines() {
        return List.copyOf(lines);
    }

    public boolean contain(String text) {
        return lines.stream().anyMatch(line -> line.contains(text));
    }

    @Override
    protected void append(ILoggingEvent event) {
        lines.add(event.getFormattedMessage());
    }

    @Override
    public void close() {
        logger.setLevel(null);
        logger.detachAppender(this);
        stop();
    }
}
