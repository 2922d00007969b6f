package io.holdfast.management;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import io.holdfast.control.ControlJson;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.slf4j.event.KeyValuePair;

/** A log line as a JSON object, for who collects them: time, level, logger, message, whom it concerns (peer, initiator, client, session),
 * stack trace. */
final class JsonLogLine extends LayoutBase<ILoggingEvent> {

    @Override
    public String doLayout(ILoggingEvent event) {
        byte[] json = ControlJson.bytes(out -> {
            out.writeStartObject();
            out.writeStringField(
                    "time", Instant.ofEpochMilli(event.getTimeStamp()).toString());
            out.writeStringField("level", event.getLevel().levelStr);
            out.writeStringField("logger", event.getLoggerName());
            out.writeStringField("message", event.getFormattedMessage());
            for (Map.Entry<String, String> field : event.getMDCPropertyMap().entrySet()) {
                out.writeStringField(field.getKey(), field.getValue());
            }
            for (KeyValuePair field : fields(event)) {
                out.writeStringField(field.key, String.valueOf(field.value));
            }
            IThrowableProxy thrown = event.getThrowableProxy();
            if (thrown != null) {
                out.writeStringField("thrown", ThrowableProxyUtil.asString(thrown));
            }
            out.writeEndObject();
        });
        return new String(json, StandardCharsets.UTF_8) + System.lineSeparator();
    }

    private static List<KeyValuePair> fields(ILoggingEvent event) {
        List<KeyValuePair> fields = event.getKeyValuePairs();
        return fields == null ? List.of() : fields;
    }
}
