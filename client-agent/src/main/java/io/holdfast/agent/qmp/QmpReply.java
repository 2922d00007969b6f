package io.holdfast.agent.qmp;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * The answer to a command.
 *
 * @param value what was returned; a missing node if the command failed
 * @param error QEMU's description of the error, or empty
 */
public record QmpReply(JsonNode value, String error) {
    public boolean failed() {
        return !error.isEmpty();
    }
}
