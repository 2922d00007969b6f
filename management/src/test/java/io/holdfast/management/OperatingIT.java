package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.control.ControlJson;
import io.holdfast.control.client.ApiClient;
import io.holdfast.control.client.ServerAddress;
import io.holdfast.control.operator.Operation;
import io.holdfast.management.plane.Exposition;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What operators and agents hear of a server with a control plane while it is used. */
@Timeout(180)
class OperatingIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String PORT = "here";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path directory;

    private Path images;
    private ServeProcess server;
    private ApiClient client;

    @BeforeEach
    void start() throws Exception {
        images = Files.createDirectory(directory.resolve("images"));
        server = ServeProcess.start(directory, "--control", "127.0.0.1:0", "--state", state().toString());
        client = new ApiClient(ServerAddress.local(state().resolve("control.sock")));
        await().atMost(PATIENCE).until(() -> Files.exists(state().resolve("control.sock")));
        done(Operation.POOL_CREATE, Map.of("name", "images", "directory", images.toString()));
        done(Operation.LU_CREATE, Map.of("name", "root", "size", 64L << 20));
        // The server was asked for any port; this is the one that it became.
        done(Operation.PORT_ADD, Map.of("name", PORT, "location", "127.0.0.1:" + server.port()));
        done(Operation.CLIENT_ADD, Map.of("name", "web1", "port", PORT));
        done(Operation.MAP, Map.of("client", "web1", "lu", "root"));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Path state() {
        return directory.resolve("state");
    }

    /** A field of what it answers. */
    private String field(String name, Operation operation, Map<String, Object> arguments) throws IOException {
        ApiClient.Reply reply = client.ask(operation, arguments, OptionalLong.empty());
        assertThat(reply.good()).as("%s: %d", operation, reply.status()).isTrue();
        List<ControlJson.Fields> rows = reply.json().objects("rows");
        return (rows.isEmpty() ? reply.json().object("object") : rows.get(0)).text(name);
    }

    private void done(Operation operation, Map<String, Object> arguments) throws IOException {
        field("any", operation, arguments);
    }

    private String web1(String field) throws IOException {
        return field(field, Operation.CLIENT_SHOW, Map.of("client", "web1"));
    }

    private String[] imageOptions(String initiator, String target) {
        return new String[] {
            "qemu-io",
            "--image-opts",
            "-c",
            "write -P 5 0 64k",
            "-c",
            "read -P 5 0 64k",
            "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:" + server.port() + ",file.target="
                    + target + ",file.lun=0,file.initiator-name=" + initiator
        };
    }

    private String get(String path) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(state().resolve("control.sock")));
            channel.write(ByteBuffer.wrap(
                    ("GET " + path + " HTTP/1.0\r\nHost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII)));
            String all = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
            assertThat(all).contains(" 200 ");
            return all.substring(all.indexOf("\r\n\r\n") + 4);
        }
    }

    @Test
    void shouldTakeNoPoolWhereThereIsNoDirectory() throws Exception {
        Path missing = directory.resolve("mistyped");
        ApiClient.Reply reply = client.ask(
                Operation.POOL_CREATE, Map.of("name", "more", "directory", missing.toString()), OptionalLong.empty());
        assertThat(reply.status()).isEqualTo(422);
        assertThat(reply.json().text("message"))
                .isEqualTo(missing + " does not exist; make that directory, or correct the path");
    }

    // ------------------------------------------------------------------ metrics, log, events

    @Test
    void shouldCountWhatAClientDoesAndTellOfARefusedLoginOnce() throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        String initiator = web1("initiator");
        String target = web1("target");
        Tool.run(imageOptions(initiator, target)).succeeded();
        for (int i = 0; i < 3; i++) {
            assertThat(Tool.run(imageOptions("naa.3000000000000001", target)).exitCode())
                    .isNotZero();
        }
        await().atMost(PATIENCE).untilAsserted(() -> {
            Exposition page = Exposition.parse(get("/metrics"));
            assertThat(page.value("holdfast_lu_operations_total", "lu=root", "op=write"))
                    .isPositive();
            assertThat(page.value("holdfast_lu_bytes_total", "lu=root", "op=write"))
                    .isGreaterThanOrEqualTo(65536);
            assertThat(page.value("holdfast_client_bytes_total", "client=web1", "op=read"))
                    .isPositive();
            assertThat(page.value("holdfast_port_bytes_total", "op=read", "port=" + PORT))
                    .isPositive();
            assertThat(page.value("holdfast_lu_queue_depth", "lu=root")).isZero();
            assertThat(page.value("holdfast_logins_refused_total", "status=not-found"))
                    .isGreaterThanOrEqualTo(3);
        });
        List<String> refusals = server.logLines("login refused");
        // Once a minute at most, however often it happens: three would be each of them.
        assertThat(refusals).hasSizeBetween(1, 2);
        assertThat(refusals.get(0))
                .contains(
                        "naa.3000000000000001: login refused: no such target ('" + target + "' at port " + PORT + ": ")
                .endsWith(")");
        assertThat(server.logLines("logged in to"))
                .isNotEmpty()
                .allMatch(line -> line.contains(initiator + ", client web1, session "));
    }

    @Test
    void shouldSatisfyPrometheusOwnChecker() throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        Tool.assumeInstalled("promtool", "prometheus");
        Tool.run(imageOptions(web1("initiator"), web1("target"))).succeeded();
        Path page = Files.writeString(directory.resolve("metrics"), get("/metrics"));
        Tool check = Tool.run("sh", "-c", "promtool check metrics < '" + page + "'");
        assertThat(check.exitCode()).as(check.output()).isZero();
    }

    // ------------------------------------------------------------------ a start

    @Test
    void shouldSayAtItsStartThatItCannotReadWhatIsKeptOfAnLu() throws Exception {
        String uuid = field("uuid", Operation.LU_SHOW, Map.of("name", "root"));
        done(Operation.LU_CREATE, Map.of("name", "other", "size", 1L << 20));
        server.close();
        Path kept = Files.createDirectories(state().resolve("reservations")).resolve(uuid + ".reservations");
        Files.writeString(kept, "torn");
        server = ServeProcess.start(directory, "--control", "127.0.0.1:0", "--state", state().toString());
        assertThat(server.log())
                .contains("LU root is not served: reservations " + kept + " cannot be used")
                .doesNotContain("LU other is not served");
    }

    // ------------------------------------------------------------------ agents

    /** As an agent is: it says hello, and hears. */
    private final class Listener implements AutoCloseable {
        private final Socket socket;
        private final Queue<JsonNode> heard = new ConcurrentLinkedQueue<>();

        Listener() throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(server.agentPort()));
            say("{\"type\":\"hello\",\"agentName\":\"a\",\"protocol\":1,\"vms\":[\"web1\"]}");
            Thread reader = new Thread(this::read, "listener");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try {
                BufferedReader in =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    heard.add(JSON.readTree(line));
                    // Or it would be dropped as silent, should the test be slow.
                    say("{\"type\":\"heartbeat\",\"seq\":1}");
                }
            } catch (IOException e) {
                // The test is over.
            }
        }

        void say(String line) throws IOException {
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        }

        JsonNode hear(String type, String pointer, String value) {
            return Awaitility.await(type + " with " + value)
                    .atMost(PATIENCE)
                    .until(
                            () -> heard.stream()
                                    .filter(message ->
                                            message.get("type").asText().equals(type))
                                    .filter(message ->
                                            message.at(pointer).asText().equals(value))
                                    .findFirst(),
                            Optional::isPresent)
                    .orElseThrow();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void shouldTellAgentsOfUnitsAsTheyAreMappedResizedAndUnmapped() throws Exception {
        String target = web1("target");
        try (Listener agent = new Listener()) {
            assertThat(agent.hear("welcome", "/server/units/0/target", target)
                            .at("/server/units/0/lun")
                            .asInt())
                    .isZero();

            done(Operation.LU_CREATE, Map.of("name", "data", "size", 16L << 20));
            done(Operation.MAP, Map.of("client", "web1", "lu", "data"));
            JsonNode mapped = agent.hear("units-changed", "/served/0/lun", "1");
            assertThat(mapped.at("/served/0/target").asText()).isEqualTo(target);

            done(Operation.LU_RESIZE, Map.of("name", "data", "size", 32L << 20));
            agent.hear("units-changed", "/served/0/sizeBytes", String.valueOf(32 << 20));

            done(Operation.UNMAP, Map.of("client", "web1", "lu", "data"));
            agent.hear("units-changed", "/gone/0/lun", "1");
        }
    }

    @Test
    void shouldTellAgentsWhatIsRegisteredForTheirVmsAndShowTheirAnswer() throws Exception {
        done(Operation.ACTIONS_SET, Map.of("vm", "web1", "actions", "{\"server-crash\":\"leave\"}"));
        done(Operation.ACTIONS_SET, Map.of("vm", "db", "actions", "{\"server-crash\":\"leave\"}"));
        try (Listener agent = new Listener()) {
            JsonNode told = agent.hear("actions-registered", "/vms/0/actions/server-crash", "leave");
            assertThat(told.at("/vms")).hasSize(1);
            assertThat(told.at("/vms/0/vm").asText()).isEqualTo("web1");

            done(Operation.ACTIONS_SET, Map.of("vm", "web1", "actions", "{\"server-stop\":\"hook\"}"));
            long revision = agent.hear("actions-registered", "/vms/0/actions/server-stop", "hook")
                    .at("/vms/0/revision")
                    .asLong();
            agent.say("{\"type\":\"actions-taken\",\"vms\":[{\"vm\":\"web1\",\"revision\":" + revision
                    + ",\"refused\":\"server-stop=hook: it has none\",\"overruled\":\"\"}]}");
            await().atMost(PATIENCE).until(() -> vm("web1", "answer").equals("refused: server-stop=hook: it has none"));
            assertThat(vm("db", "state")).isEqualTo("no-agent");

            done(Operation.ACTIONS_FORGET, Map.of("vm", "web1"));
            agent.hear("actions-registered", "/vms/0/revision", "0");
            assertThat(vm("web1", "answer")).isEmpty();
        }
    }

    private String vm(String name, String field) throws IOException {
        return client.ask(Operation.VMS, Map.of(), OptionalLong.empty()).json().objects("rows").stream()
                .filter(row -> row.text("name").equals(name))
                .map(row -> row.text(field))
                .findFirst()
                .orElse("");
    }

    @Test
    void shouldTellAgentsWhenTheStorageOfAnLuIsGoneAndBack() throws Exception {
        String target = web1("target");
        Path image = Path.of(field("path", Operation.LU_SHOW, Map.of("name", "root")));
        Path away = directory.resolve("away.img");
        try (Listener agent = new Listener()) {
            agent.hear("welcome", "/server/units/0/target", target);
            Files.move(image, away);
            JsonNode gone = agent.hear("raised", "/event", "storage-gone");
            assertThat(gone.get("target").asText()).isEqualTo(target);
            Files.move(away, image);
            assertThat(agent.hear("cleared", "/event", "storage-gone")
                            .get("target")
                            .asText())
                    .isEqualTo(target);
        }
    }
}
