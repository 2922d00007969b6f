package io.holdfast.control;

import com.fasterxml.jackson.annotation.JsonEnumDefaultValue;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/** What a server says to an agent: one JSON object on a line, told apart by its {@code type}. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = ServerMessage.Welcome.class, name = "welcome"),
    @JsonSubTypes.Type(value = ServerMessage.Heartbeat.class, name = "heartbeat"),
    @JsonSubTypes.Type(value = ServerMessage.SessionOpened.class, name = "session-opened"),
    @JsonSubTypes.Type(value = ServerMessage.SessionClosed.class, name = "session-closed"),
    @JsonSubTypes.Type(value = ServerMessage.GoingAway.class, name = "going-away"),
    @JsonSubTypes.Type(value = ServerMessage.Refused.class, name = "refused"),
    @JsonSubTypes.Type(value = ServerMessage.Bye.class, name = "bye"),
})
public sealed interface ServerMessage {

    /** Why a server is about to stop serving. */
    enum Reason {
        PLANNED_STOP,
        RESTART,
        /** A reason this version does not know; to be treated like a planned stop. */
        @JsonEnumDefaultValue
        OTHER
    }

    /**
     * The answer to {@link AgentMessage.Hello}.
     *
     * @param protocol version of this protocol the server speaks
     * @param epoch identifies this life of the server process; larger for a later one
     * @param heartbeatMs how often the server will send a heart-beat
     * @param server what it serves
     * @param sessions the iSCSI sessions that are open now; changes follow as messages
     */
    record Welcome(int protocol, long epoch, long heartbeatMs, ServerDescription server, List<IscsiSession> sessions)
            implements ServerMessage {
        @SuppressWarnings("NullAway") // JSON may lack what the constructor wants: the default is the point.
        public Welcome {
            server = server == null ? new ServerDescription("", List.of(), List.of()) : server;
            sessions = ControlProtocol.orEmpty(sessions);
        }
    }

    /** @param seq counts up from 1 */
    record Heartbeat(long seq) implements ServerMessage {}

    /** An initiator has logged in: its session is in full feature phase. */
    record SessionOpened(IscsiSession session) implements ServerMessage {}

    record SessionClosed(IscsiSession session) implements ServerMessage {}

    /**
     * The server will stop serving, and waits for {@link AgentMessage.Frozen} from every agent before it does.
     *
     * @param announcementId to be repeated in the answer
     * @param deadlineMs how long the server waits at most, in milliseconds from now
     */
    record GoingAway(long announcementId, Reason reason, long deadlineMs) implements ServerMessage {
        @SuppressWarnings("NullAway") // JSON may lack it.
        public GoingAway {
            reason = reason == null ? Reason.OTHER : reason;
        }
    }

    /** The server will not talk to this peer; it closes the connection after this line. */
    record Refused(String why) implements ServerMessage {
        public Refused {
            why = ControlProtocol.orEmpty(why);
        }
    }

    /** The server closes the connection, and is on its way out. */
    record Bye(String why) implements ServerMessage {
        public Bye {
            why = ControlProtocol.orEmpty(why);
        }
    }
}
