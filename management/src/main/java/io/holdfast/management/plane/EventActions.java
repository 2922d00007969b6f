package io.holdfast.management.plane;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.holdfast.agent.freeze.EventTable;
import io.holdfast.control.VmActions;
import io.holdfast.iscsi.wire.TextKeys;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What operators want done for a VM on which event: its agent is told.
 *
 * @param actions JSON, as it was written: actions by event
 * @param revision the state's version that last changed it
 */
public record EventActions(String vm, String actions, long revision) {
    private static final int MAX_CHARS = 16 * 1024;
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** What is wrong with it, for people, in one line; empty if nothing is. */
    public String objection() {
        String what = "the actions of " + vm;
        if (actions.length() > MAX_CHARS) {
            return what + " have " + actions.length() + " characters, they may have " + MAX_CHARS;
        }
        Map<String, Object> rows;
        try {
            rows = parsed();
        } catch (IOException e) {
            String why = e instanceof JsonProcessingException of ? of.getOriginalMessage() : e.getMessage();
            return what + " are no JSON object, such as {\"server-crash\":\"freeze\"}: " + TextKeys.printable("" + why);
        }
        if (rows.size() > VmActions.MAX_EVENTS) {
            return what + " are for " + rows.size() + " events, the limit is " + VmActions.MAX_EVENTS;
        }
        for (Map.Entry<String, Object> row : rows.entrySet()) {
            String event = TextKeys.printable(row.getKey());
            Optional<String> objection = row.getValue() instanceof String action
                    ? EventTable.objectionFromAfar(event, TextKeys.printable(action))
                    : Optional.of("what is to be done on '" + event + "' must be a text, such as \"freeze\"");
            if (objection.isPresent()) {
                return what + ": " + objection.get();
            }
        }
        return "";
    }

    /** What is to be done, by event. To be asked only if there is no {@link #objection}. */
    public Map<String, String> byEvent() {
        Map<String, String> byEvent = new TreeMap<>();
        try {
            parsed().forEach((event, action) -> byEvent.put(event, action.toString()));
        } catch (IOException e) {
            throw new IllegalStateException(objection(), e);
        }
        return byEvent;
    }

    /** Nothing is passed over, as a message's reader would: what operators wrote is done, or refused. */
    private Map<String, Object> parsed() throws IOException {
        Map<String, Object> rows = new TreeMap<>();
        try (JsonParser parser = JSON.createParser(actions)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("it does not begin with {");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String event = parser.currentName();
                JsonToken value = parser.nextToken();
                rows.put(event, value == JsonToken.VALUE_STRING ? parser.getText() : value);
                parser.skipChildren();
            }
            if (parser.nextToken() != null) {
                throw new IOException("more follows it");
            }
        }
        return rows;
    }
}
