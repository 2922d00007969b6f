package io.holdfast.control;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/** What an agent says to a server: one JSON object on a line, told apart by its {@code type}. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = AgentMessage.Hello.class, name = "hello"),
    @JsonSubTypes.Type(value = AgentMessage.Heartbeat.class, name = "heartbeat"),
    @JsonSubTypes.Type(value = AgentMessage.Frozen.class, name = "frozen"),
    @JsonSubTypes.Type(value = AgentMessage.Bye.class, name = "bye"),
})
public sealed interface AgentMessage {

    /**
     * The first line of a connection.
     *
     * @param agentName the agent, for people: host name and process
     * @param protocol highest version of this protocol the agent speaks, {@link ControlProtocol#VERSION}
     * @param vms names of the VMs it looks after
     */
    record Hello(String agentName, int protocol, List<String> vms) implements AgentMessage {
        public Hello {
            agentName = ControlProtocol.orEmpty(agentName);
            vms = ControlProtocol.orEmpty(vms);
        }
    }

    /** @param seq counts up from 1 */
    record Heartbeat(long seq) implements AgentMessage {}

    /**
     * The answer to {@link ServerMessage.GoingAway}: nothing more can be done for these VMs, the server may go.
     *
     * @param announcementId of the announcement that is answered
     */
    record Frozen(long announcementId, List<VmOutcome> vms) implements AgentMessage {
        public Frozen {
            vms = ControlProtocol.orEmpty(vms);
        }
    }

    /** The agent goes, and leaves its VMs as they are. */
    record Bye(String why) implements AgentMessage {
        public Bye {
            why = ControlProtocol.orEmpty(why);
        }
    }
}
