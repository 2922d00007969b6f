package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import io.holdfast.control.operator.Role;
import io.holdfast.control.operator.Row;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
        Random random = new Random(7);
        int good = 0;
        int sent = 0;
        for (Map.Entry<String, JsonNode> path : api.get("paths").properties()) {
            if (path.getKey().equals("/v1/events")) {
                continue;
            }
            for (Map.Entry<String, JsonNode> verb : path.getValue().properties()) {
                for (int i = 0; i < 30; i++) {
                    ApiFuzz.Request request = ApiFuzz.request(random, path.getKey(), verb.getValue());
                    RawApi.Reply reply = raw.send(
                            verb.getKey().toUpperCase(java.util.Locale.ROOT),
                            request.path(),
                            request.body(),
                            request.headers().toArray(new String[0]));
                    assertThat(reply.status())
                            .as("%s %s %s: %s", verb.getKey(), request.path(), request.text(), reply.body())
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
        assertThat(stranger.ask(Operation.CLIENT_LIST, Map.of(), OptionalLong.empty())
                        .status())
                .isEqualTo(401);
        assertThatThrownBy(() -> new ApiClient(ServerAddress.remote(address, token.token(), null))
                        .ask(Operation.STATUS, Map.of(), OptionalLong.empty()))
                .hasMessageContaining("cannot be trusted");
        for (int i = 0; i < 40; i++) {
            stranger.ask(Operation.STATUS, Map.of(), OptionalLong.empty());
        }
        assertThat(stranger.ask(Operation.STATUS, Map.of(), OptionalLong.empty())
                        .status())
                .isEqualTo(429);
    }

    private ApiAddresses.Remote tls() throws Exception {
        Path certificate = directory.resolve("cert.pem");
        Path key = directory.resolve("key.pem");
        Process process = new ProcessBuilder(
                        "openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "rsa:2048",
                        "-nodes",
                        "-days",
                        "2",
                        "-keyout",
                        key.toString(),
                        "-out",
                        certificate.toString(),
                        "-subj",
                        "/CN=localhost",
                        "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assumeTrue(process.waitFor() == 0 && Files.exists(key), "skipped: openssl says " + said);
        return new ApiAddresses.Remote(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), certificate, key, Optional.empty());
    }
}
