package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.control.ControlJson;
import io.holdfast.control.client.ApiClient;
import io.holdfast.control.client.ServerAddress;
import io.holdfast.control.operator.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A portal that is asked for at any TCP port is a port as others are. */
@Timeout(180)
class AnyPortIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private ApiClient client() {
        return new ApiClient(ServerAddress.local(state().resolve("control.sock")));
    }

    private Path state() {
        return directory.resolve("state");
    }

    private List<ControlJson.Fields> rows(Operation operation, Map<String, Object> arguments) throws IOException {
        ApiClient.Reply reply = client().ask(operation, arguments, OptionalLong.empty());
        assertThat(reply.good()).as("%s: %s", operation, reply).isTrue();
        return reply.json().values().containsKey("rows")
                ? reply.json().objects("rows")
                : List.of(reply.json().object("object"));
    }

    private ServeProcess start() throws IOException {
        ServeProcess server = ServeProcess.start(directory, "--control", "127.0.0.1:0", "--state", state().toString());
        await().atMost(PATIENCE).until(this::answers);
        return server;
    }

    private boolean answers() {
        try {
            return !rows(Operation.LSNPORTS, Map.of()).isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void shouldLetItsClientsInAndShowWhereItIsAlsoAfterARestart() throws Exception {
        Tool.assumeInstalled("qemu-img", "qemu-utils");
        ControlJson.Fields web1;
        try (ServeProcess server = start()) {
            Path images = Files.createDirectory(directory.resolve("images"));
            rows(Operation.POOL_CREATE, Map.of("name", "images", "directory", images.toString()));
            rows(Operation.LU_CREATE, Map.of("name", "root", "size", 64L << 20));
            web1 = rows(Operation.CLIENT_ADD, Map.of("name", "web1")).get(0);
            rows(Operation.MAP, Map.of("client", "web1", "lu", "root"));
            assertIsPort(server, web1);
        }
        Files.deleteIfExists(state().resolve("control.sock"));
        try (ServeProcess server = start()) {
            assertIsPort(server, web1);
        }
    }

    private void assertIsPort(ServeProcess server, ControlJson.Fields web1) throws Exception {
        String place = "127.0.0.1:" + server.port();
        assertThat(rows(Operation.LSNPORTS, Map.of()))
                .singleElement()
                .satisfies(port -> assertThat(port.text("physloc")).isEqualTo(place));
        assertThat(rows(Operation.PORT_LIST, Map.of()).get(0).text("location")).isEqualTo(place);
        assertThat(rows(Operation.LSMAP_NPIV, Map.of()).get(0).text("fcphysloc"))
                .isEqualTo(place);
        Tool.run(
                        "qemu-img",
                        "info",
                        "--image-opts",
                        "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=" + place + ",file.target="
                                + web1.text("target") + ",file.lun=0,file.initiator-name=" + web1.text("initiator"))
                .succeeded();
    }
}
