package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.control.client.ApiClient;
import io.holdfast.control.client.ServerAddress;
import io.holdfast.control.http.ApiAddresses;
import io.holdfast.control.http.ApiLimits;
import io.holdfast.control.http.ApiServer;
import io.holdfast.control.http.OpenApi;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.OperatorQuery;
import io.holdfast.control.operator.Role;
import io.holdfast.control.operator.Row;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiServerTest {
    private static final ApiLimits GENEROUS = new ApiLimits(64 * 1024, 256, 8, 1000, 100_000, 100_000, 20, 60);

    @TempDir
    Path directory;

    private final PlaneRig rig = PlaneRig.inMemory();
    private final List<ApiServer> started = new ArrayList<>();

    @AfterEach
    void close() {
        started.forEach(ApiServer::close);
        rig.close();
    }

    private Path socket() {
        return directory.resolve("control.sock");
    }

    private ApiServer start(Optional<ApiAddresses.Remote> remote, ApiLimits limits) throws IOException {
        ApiServer server = ApiServer.start(
                rig.plane, () -> MetricsPage.of(rig.plane, LiveFacts.NONE), new ApiAddresses(socket(), remote), limits);
        started.add(server);
        return server;
    }

    private ApiClient local() {
        return new ApiClient(ServerAddress.local(socket()));
    }

    @Test
    void shouldCarryOutCommandsOfTheLocalRoot() throws IOException {
        start(Optional.empty(), GENEROUS);
        ApiClient.Reply added = local().ask(Operation.CLIENT_ADD, Map.of("name", "web1"), OptionalLong.empty());
        assertThat(added.status()).isEqualTo(200);
        assertThat(added.json().object("object").text("target")).endsWith(":vfchost0");
        ApiClient.Reply again = local().ask(Operation.CLIENT_ADD, Map.of("name", "web1"), OptionalLong.empty());
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.json().text("error")).isEqualTo("exists");
        assertThat(again.json().text("advice")).isNotEmpty();
        ApiClient.Reply stale =
                local().ask(Operation.CLIENT_RENAME, Map.of("client", "web1", "name", "web2"), OptionalLong.of(1));
        assertThat(stale.status()).isEqualTo(412);
        ApiClient.Reply list = local().ask(Operation.CLIENT_LIST, Map.of(), OptionalLong.empty());
        assertThat(list.json().objects("rows")).hasSize(1);
    }

    @Test
    void shouldTellEventsToWhoResumes() throws Exception {
        start(Optional.empty(), GENEROUS);
        long seen = rig.plane.latestEvent();
        rig.done(PlaneRig.client("web1"));
        List<String> heard = new CopyOnWriteArrayList<>();
        CompletableFuture<Void> listener = CompletableFuture.runAsync(() -> {
            try {
                local().events(seen, (type, event) -> {
                    heard.add(event.text("object"));
                    return heard.size() < 2;
                });
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        await().until(() -> heard.size() == 1);
        rig.done(PlaneRig.client("web2"));
        listener.get(10, TimeUnit.SECONDS);
        assertThat(heard).containsExactly("client 1 (web1)", "client 2 (web2)");
    }

    @Test
    void shouldTellAllThatWasMissedToWhoReads() throws Exception {
        start(Optional.empty(), GENEROUS);
        long seen = rig.plane.latestEvent();
        int missed = 9_000;
        for (int i = 0; i < missed; i++) {
            rig.plane.tell("test", "object " + i, "x".repeat(200));
        }
        List<String> heard = new ArrayList<>();
        local().events(seen, (type, event) -> {
            assertThat(type).isNotEqualTo("gap");
            heard.add(event.text("object"));
            return heard.size() < missed;
        });
        assertThat(heard).hasSize(missed).first().isEqualTo("object 0");
        assertThat(heard).last().isEqualTo("object " + (missed - 1));
    }

    @Test
    void shouldDropWhoDoesNotReadAndGoOnTellingTheOthers() throws Exception {
        start(Optional.empty(), GENEROUS);
        long seen = rig.plane.latestEvent();
        try (SocketChannel slow = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            slow.connect(UnixDomainSocketAddress.of(socket()));
            slow.write(
                    ByteBuffer.wrap("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
            // Its stream is open once its head has come.
            assertThat(slow.read(ByteBuffer.allocate(16))).isPositive();
            List<String> heard = new CopyOnWriteArrayList<>();
            CompletableFuture<Void> reader = CompletableFuture.runAsync(() -> {
                try {
                    local().events(seen, (type, event) -> {
                        heard.add(event.text("object"));
                        return !event.text("object").equals("last");
                    });
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            int told = 0;
            for (; told < 20_000; told++) {
                rig.plane.tell("test", "object " + told, "x".repeat(500));
                int sent = told;
                if (told % 500 == 0) {
                    // Who reads is given the time to.
                    await().atMost(30, TimeUnit.SECONDS).until(() -> heard.contains("object " + sent));
                }
            }
            rig.plane.tell("test", "last", "");
            reader.get(60, TimeUnit.SECONDS);
            assertThat(heard).hasSize(told + 1);
            // He reads what was on its way, and then the end, which comes only to who was dropped.
            await().atMost(60, TimeUnit.SECONDS).until(() -> ended(slow));
        }
    }

    private static boolean ended(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocate(1 << 20)) < 0;
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void shouldTakeACertificateOfItsAuthorityForWhoItNames() throws Exception {
        ApiAddresses.Remote plain = tls();
        Certificates certificates = new Certificates(directory);
        Path authority = certificates.authority("ca");
        ApiAddresses.Remote remote =
                new ApiAddresses.Remote(plain.address(), plain.certificate(), plain.key(), Optional.of(authority));
        InetSocketAddress bound =
                PlaneRig.present(start(Optional.of(remote), GENEROUS).remote());
        String clients = "https://localhost:" + bound.getPort() + "/v1/clients";

        HttpClient operator = certificates.client(plain.certificate(), certificates.issue("ca", "/OU=operator/CN=ops"));
        assertThat(post(operator, clients, "{\"name\":\"web1\"}")).isEqualTo(200);
        HttpClient observer = certificates.client(plain.certificate(), certificates.issue("ca", "/OU=elves/CN=eve"));
        assertThat(get(observer, clients)).isEqualTo(200);
        assertThat(post(observer, clients, "{\"name\":\"web2\"}")).isEqualTo(403);
        HttpClient nobody = certificates.client(plain.certificate(), certificates.issue("ca", "/OU=admin"));
        assertThat(get(nobody, clients)).as("without a name").isEqualTo(401);
        HttpClient without = certificates.client(plain.certificate(), null);
        assertThat(get(without, clients)).isEqualTo(401);

        certificates.authority("other");
        HttpClient foreign = certificates.client(plain.certificate(), certificates.issue("other", "/OU=admin/CN=root"));
        assertThat(statusOrRefused(foreign, clients)).as("of another authority").isIn(0, 401);
        List<Row.AuditRow> audit = rig.rows(new OperatorQuery.Audit(1));
        assertThat(audit.get(0).by()).isEqualTo("certificate ops");
    }

    private static int get(HttpClient client, String uri) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    /** 0 if the server does not even talk to him. */
    private static int statusOrRefused(HttpClient client, String uri) throws Exception {
        try {
            return get(client, uri);
        } catch (IOException e) {
            return 0;
        }
    }

    private static int post(HttpClient client, String uri, String body) throws Exception {
        return client.send(
                        HttpRequest.newBuilder(URI.create(uri))
                                .header("Content-Type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    @Test
    void shouldShowMetricsAndReadiness() throws IOException {
        start(Optional.empty(), GENEROUS);
        RawApi raw = new RawApi(socket());
        assertThat(raw.send("GET", "/metrics", new byte[0]).body()).contains("holdfast_clients 0\n");
        assertThat(raw.send("GET", "/readyz", new byte[0]).status()).isEqualTo(200);
    }

    @Test
    void shouldNeverFailWhateverIsSentToIt() throws IOException {
        start(Optional.empty(), GENEROUS);
        rig.done(PlaneRig.client("web1"));
        rig.done(PlaneRig.lu("root1", 1 << 30));
        JsonNode api = new ObjectMapper().readTree(OpenApi.text());
        RawApi raw = new RawApi(socket());
        // More by -Dholdfast.fuzz.api=N, with other requests by -Dholdfast.fuzz.seed=N.
        int each = Integer.getInteger("holdfast.fuzz.api", 30);
        long seed = Long.getLong("holdfast.fuzz.seed", 7);
        Random random = new Random(seed);
        int good = 0;
        int sent = 0;
        for (Map.Entry<String, JsonNode> path : api.get("paths").properties()) {
            if (path.getKey().equals("/v1/events")) {
                continue;
            }
            for (Map.Entry<String, JsonNode> verb : path.getValue().properties()) {
                for (int i = 0; i < each; i++) {
                    ApiFuzz.Request request = ApiFuzz.request(random, path.getKey(), verb.getValue());
                    RawApi.Reply reply = raw.send(
                            verb.getKey().toUpperCase(java.util.Locale.ROOT),
                            request.path(),
                            request.body(),
                            request.headers().toArray(new String[0]));
                    assertThat(reply.status())
                            .as(
                                    "seed %d: %s %s %s: %s",
                                    seed, verb.getKey(), request.path(), request.text(), reply.body())
                            .isBetween(200, 499);
                    good += reply.status() == 200 ? 1 : 0;
                    sent++;
                }
            }
        }
        assertThat(good).as("of %d requests some are right", sent).isGreaterThan(sent / 20);
    }

    @Test
    void shouldRefuseWhatIsTooLarge() throws IOException {
        start(Optional.empty(), GENEROUS);
        RawApi raw = new RawApi(socket());
        assertThat(raw.send("POST", "/v1/clients", new byte[100_000]).status()).isEqualTo(413);
        assertThat(raw.send("GET", "/v1/clients/" + "x".repeat(20_000), new byte[0])
                        .status())
                .isBetween(400, 499);
        assertThat(raw.send("PATCH", "/v1/clients", new byte[0]).status()).isEqualTo(405);
    }

    @Test
    void shouldSlowDownWhoAsksTooMuch() throws IOException {
        start(Optional.empty(), new ApiLimits(64 * 1024, 256, 8, 1000, 1, 5, 20, 60));
        List<Integer> statuses = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            statuses.add(local().ask(Operation.STATUS, Map.of(), OptionalLong.empty())
                    .status());
        }
        assertThat(statuses).startsWith(200, 200, 200, 200, 200).contains(429);
    }

    @Test
    void shouldLetStrangersKnowNothingButThatItLives() throws Exception {
        ApiAddresses.Remote remote = tls();
        InetSocketAddress bound =
                PlaneRig.present(start(Optional.of(remote), GENEROUS).remote());
        InetSocketAddress address = new InetSocketAddress("localhost", bound.getPort());
        Row.NewTokenRow token =
                (Row.NewTokenRow) rig.done(new OperatorCommand.CreateToken("look", Role.OBSERVER, null));
        ApiClient known = new ApiClient(ServerAddress.remote(address, token.token(), remote.certificate()));
        assertThat(known.ask(Operation.CLIENT_LIST, Map.of(), OptionalLong.empty())
                        .status())
                .isEqualTo(200);
        ApiClient.Reply forbidden = known.ask(Operation.CLIENT_ADD, Map.of("name", "x"), OptionalLong.empty());
        assertThat(forbidden.status()).isEqualTo(403);
        ApiClient stranger = new ApiClient(ServerAddress.remote(address, "hft_guess", remote.certificate()));
        ApiClient.Reply unknown = stranger.ask(Operation.CLIENT_LIST, Map.of(), OptionalLong.empty());
        assertThat(unknown.status()).isEqualTo(401);
        assertThat(unknown.json().text("message")).startsWith("the token is not known here");
        assertThatThrownBy(() -> new ApiClient(ServerAddress.remote(address, token.token(), null))
                        .ask(Operation.STATUS, Map.of(), OptionalLong.empty()))
                .hasMessageContaining("cannot be trusted: nobody known here has signed its certificate;");
        List<Integer> answers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            answers.add(stranger.ask(Operation.STATUS, Map.of(), OptionalLong.empty())
                    .status());
        }
        // Not the last one: on a slow machine he may try again by then.
        assertThat(answers).contains(429);
    }

    private ApiAddresses.Remote tls() throws Exception {
        Certificates made = new Certificates(directory);
        Path certificate = made.authority("localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1");
        return new ApiAddresses.Remote(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                certificate,
                made.key("localhost"),
                Optional.empty());
    }
}
