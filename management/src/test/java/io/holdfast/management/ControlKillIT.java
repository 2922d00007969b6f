package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.ControlJson;
import io.holdfast.control.client.ApiClient;
import io.holdfast.control.client.ServerAddress;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.management.plane.ModelOf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server is killed in the middle of control commands: afterwards it knows all that it had acknowledged, and no more. */
class ControlKillIT {
    private static final int LIVES = 10;
    private static final int COMMANDS = 50;

    /** All that commands change: what is left out here, a command in flight could change unseen. In the model's order. */
    private static final List<Operation> QUERIES = List.of(
            Operation.POOL_LIST,
            Operation.LU_LIST,
            Operation.WWPN_POOL_LIST,
            Operation.TOKEN_LIST,
            Operation.ZONE_LIST,
            Operation.INITIATOR_LIST,
            Operation.CLIENT_LIST,
            Operation.ADAPTER_LIST,
            Operation.MAPS,
            Operation.PORT_LIST);

    /** What each server makes up for itself, or finds on its machine. */
    private static final Set<String> MADE_UP = Set.of("revision", "uuid", "state", "free", "created");

    @TempDir
    Path directory;

    private final Set<String> issued = new HashSet<>();
    private final Map<String, String> ownerOf = new HashMap<>();
    private @Nullable OperatorCommand inFlight;

    @Test
    void shouldKnowAfterSigkillExactlyWhatItHadAcknowledged() throws Exception {
        Path images = Files.createDirectory(directory.resolve("images"));
        Random random = new Random(500);
        int acknowledged = 0;
        ScheduledExecutorService executioner = Executors.newSingleThreadScheduledExecutor();
        try (ModelOf model = new ModelOf(500)) {
            for (int life = 0; life < LIVES; life++) {
                try (ServeProcess server =
                        ServeProcess.start(directory, "--control", "127.0.0.1:0", "--state", state().toString())) {
                    ApiClient client = new ApiClient(ServerAddress.local(state().resolve("control.sock")));
                    if (life == 0) {
                        furnish(client, model, images);
                    }
                    assertSame(client, model, server.port());
                    int deadly = COMMANDS / 2 + random.nextInt(COMMANDS);
                    long delayMs = random.nextInt(10);
                    acknowledged += work(
                            client,
                            model,
                            deadly,
                            () -> executioner.schedule(server::kill, delayMs, TimeUnit.MILLISECONDS));
                }
            }
        } finally {
            executioner.shutdownNow();
        }
        assertThat(acknowledged).isGreaterThan(LIVES * COMMANDS / 4);
        assertThat(issued).hasSizeGreaterThan(10);
    }

    private Path state() {
        return directory.resolve("state");
    }

    private void furnish(ApiClient client, ModelOf model, Path images) throws IOException {
        assertThat(client.ask(Operation.STATUS, Map.of(), OptionalLong.empty()).good())
                .isTrue();
        // The port that the server has made of its portal, and the same prefix in both.
        model.acknowledged(new OperatorCommand.AddPort("fcs0", "127.0.0.1:0", null));
        for (OperatorCommand command : List.of(
                new OperatorCommand.CreateWwpnPool("p", "c05076075aac"),
                new OperatorCommand.CreatePool("images", images.toString()))) {
            assertThat(ask(client, command).good()).as("%s", command).isTrue();
            model.acknowledged(command);
        }
    }

    /**
     * Gives commands until the server is dead.
     *
     * @param deadly with which command {@code kill} is run, which takes effect a little later
     * @return how many were acknowledged
     */
    private int work(ApiClient client, ModelOf model, int deadly, Runnable kill) {
        int acknowledged = 0;
        try {
            for (int i = 0; i < COMMANDS * 20; i++) {
                if (i == deadly) {
                    kill.run();
                }
                OperatorCommand command = model.next();
                inFlight = command;
                ApiClient.Reply reply = ask(client, command);
                inFlight = null;
                if (reply.good()) {
                    model.acknowledged(command);
                    acknowledged++;
                    remember(reply);
                }
            }
        } catch (IOException e) {
            // It is dead.
        }
        return acknowledged;
    }

    private void remember(ApiClient.Reply reply) {
        String wwpn = reply.json().object("object").text("active");
        if (wwpn.isEmpty()) {
            wwpn = reply.json().object("object").text("wwpn");
        }
        String owner = reply.json().object("object").number("id")
                + reply.json().object("object").text("adapter");
        if (!wwpn.isEmpty()) {
            issued.add(wwpn);
            String other = ownerOf.putIfAbsent(wwpn, owner);
            assertThat(other == null || other.equals(owner) || owner.startsWith("0"))
                    .as("%s was %s and is %s", wwpn, other, owner)
                    .isTrue();
        }
    }

    private static ApiClient.Reply ask(ApiClient client, OperatorCommand command) throws IOException {
        return client.ask(Operation.of(command), ModelOf.fields(command), OptionalLong.empty());
    }

    /**
     * With the command that was under way when it died, or without.
     *
     * @param bound the TCP port that it has in this life; its state knows "any"
     */
    private void assertSame(ApiClient client, ModelOf model, int bound) throws IOException {
        List<String> real = new ArrayList<>();
        for (Operation query : QUERIES) {
            client.ask(query, Map.of(), OptionalLong.empty()).json().objects("rows").stream()
                    .map(ControlKillIT::plain)
                    .map(row -> row.replace("location=127.0.0.1:" + bound + ",", "location=127.0.0.1:0,"))
                    .forEach(real::add);
        }
        OperatorCommand unknown = inFlight;
        if (unknown != null && !real.equals(rows(model))) {
            model.carriesOut(unknown);
        }
        inFlight = null;
        assertThat(real).isEqualTo(rows(model));
    }

    private static List<String> rows(ModelOf model) {
        return model.print()
                .lines()
                .filter(line -> !line.isBlank())
                .map(ControlKillIT::row)
                .toList();
    }

    private static String row(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        try {
            return plain(ControlJson.parse(bytes, 0, bytes.length));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String plain(ControlJson.Fields row) {
        Map<String, Object> sorted = new TreeMap<>(row.values());
        sorted.keySet().removeAll(MADE_UP);
        return sorted.toString();
    }
}
