package io.holdfast.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Any line on a control connection is a message, passed over, or refused; a message reads the same when it is written again. */
class MessageCodecFuzz {
    static Stream<byte[]> seeds() {
        return Stream.of(
                        "{\"type\":\"hello\",\"agentName\":\"host1\",\"protocol\":1,\"vms\":[\"web1\",\"db\"]}",
                        "{\"type\":\"heartbeat\",\"seq\":9223372036854775807}",
                        "{\"type\":\"frozen\",\"announcementId\":3,\"vms\":[{\"vm\":\"web1\",\"state\":\"FROZEN\","
                                + "\"detail\":\"\"}]}",
                        "{\"type\":\"bye\",\"why\":\"stops\"}",
                        "{\"type\":\"welcome\",\"protocol\":1,\"epoch\":5,\"heartbeatMs\":500,\"server\":{\"name\":\"s\","
                                + "\"portals\":[\"127.0.0.1:3260\"],\"units\":[{\"target\":\"t\",\"lun\":0,\"uuid\":\"u\","
                                + "\"sizeBytes\":1,\"readOnly\":false}]},\"sessions\":[{\"initiator\":\"i\",\"isid\":1,"
                                + "\"target\":\"t\",\"peer\":\"p\"}]}",
                        "{\"type\":\"session-opened\",\"session\":{\"initiator\":\"i\",\"isid\":1}}",
                        "{\"type\":\"going-away\",\"announcementId\":1,\"reason\":\"STOP\",\"deadlineMs\":10000}",
                        "{\"type\":\"actions-registered\",\"vms\":[{\"vm\":\"web1\",\"revision\":4,\"actions\":"
                                + "{\"server-crash\":\"leave\"}}]}",
                        "{\"type\":\"actions-taken\",\"vms\":[{\"vm\":\"web1\",\"revision\":4,\"refused\":\"\","
                                + "\"overruled\":\"server-crash\"}]}",
                        "{\"type\":\"refused\",\"why\":null}",
                        "[[[[]]]]",
                        "{\"a\":1e400}",
                        // Looks like UTF-32 to a reader of JSON.
                        "{\0\0\0!!!p",
                        "")
                .map(line -> line.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @FuzzTest
    void shouldTakeOrRefuseAnyLine(byte[] line) {
        try {
            Optional<AgentMessage> message = MessageCodec.agentMessage(Unpooled.wrappedBuffer(line));
            if (message.isPresent()) {
                assertThat(MessageCodec.agentMessage(MessageCodec.line(message.get()))).isEqualTo(message);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageStartingWith("not a control message: ");
        }
        try {
            Optional<ServerMessage> message = MessageCodec.serverMessage(Unpooled.wrappedBuffer(line));
            if (message.isPresent()) {
                assertThat(MessageCodec.serverMessage(MessageCodec.line(message.get()))).isEqualTo(message);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageStartingWith("not a control message: ");
        }
    }
}
