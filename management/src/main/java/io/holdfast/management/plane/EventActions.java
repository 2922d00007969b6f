package io.holdfast.management.plane;

import io.holdfast.agent.freeze.EventTable;
import io.holdfast.control.ControlJson;
import io.holdfast.control.VmActions;
import io.holdfast.iscsi.wire.TextKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
            return what + " are no JSON object, such as {\"server-crash\":\"freeze\"}";
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

    private Map<String, Object> parsed() throws IOException {
        byte[] json = actions.getBytes(StandardCharsets.UTF_8);
        return ControlJson.parse(json, 0, json.length).values();
    }
}
