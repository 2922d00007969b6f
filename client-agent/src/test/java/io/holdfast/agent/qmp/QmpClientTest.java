package io.holdfast.agent.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class QmpClientTest implements QmpClient.Listener {
    @TempDir
    private Path directory;

    private final ExecutorService loop = Executors.newSingleThreadExecutor();
    private final List<QmpSession> sessions = new CopyOnWriteArrayList<>();
    private final List<QmpEvent> events = new CopyOnWriteArrayList<>();
    private final List<String> endings = new CopyOnWriteArrayList<>();
    private final List<String> troubles = new CopyOnWriteArrayList<>();
    private QmpClient client;

    @AfterEach
    void stop() throws InterruptedException {
        if (client != null) {
            client.close();
        }
        loop.shutdownNow();
        assertThat(loop.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void shouldGreetWithOutOfBandEnabledAndKnowTheProcess() throws Exception {
        try (FakeQemu qemu = qemu()) {
            QmpSession session = connect();

            assertThat(qemu.commands.get(0)).contains("qmp_capabilities", "\"enable\":[\"oob\"]");
            assertThat(session.version()).isEqualTo("7.2.22");
            assertThat(session.pid()).isEqualTo((int) ProcessHandle.current().pid());
        }
    }

    @Test
    void shouldNotEnableOutOfBandWhereItIsNotOffered() throws Exception {
        String old = FakeQemu.GREETING.replace("[\"oob\"]", "[]");
        try (FakeQemu qemu = new FakeQemu(socket(), old)) {
            connect();

            assertThat(qemu.commands.get(0)).contains("qmp_capabilities").doesNotContain("oob");
        }
    }

    @Test
    void shouldMatchRepliesByIdAlthoughStopIsNeverAnswered() throws Exception {
        try (FakeQemu qemu = qemu()) {
            qemu.answersStop = false;
            QmpSession session = connect();

            CompletableFuture<QmpReply> stop = execute(session, "stop");
            QmpReply status = execute(session, "query-status").get(5, TimeUnit.SECONDS);

            assertThat(status.value().path("status").asText()).isEqualTo("paused");
            assertThat(stop).isNotDone();
            await().until(() -> !events.isEmpty());
            assertThat(events.get(0).name()).isEqualTo("STOP");
        }
    }

    @Test
    void shouldTellErrorsOfCommands() throws Exception {
        try (FakeQemu qemu = qemu()) {
            QmpSession session = connect();
            CompletableFuture<QmpReply> reply = new CompletableFuture<>();
            qemu.answersStop = false;
            loop.execute(() -> session.execute("stop", reply::complete));
            await().until(() -> qemu.count("stop") == 1);

            qemu.say("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such thing\"}, \"id\": 1}\r\n");

            assertThat(reply.get(5, TimeUnit.SECONDS).error()).isEqualTo("no such thing");
        }
    }

    @Test
    void shouldRefuseMoreCommandsThanQemuAnswers() throws Exception {
        try (FakeQemu qemu = qemu()) {
            qemu.answersStop = false;
            QmpSession session = connect();
            for (int i = 0; i < QmpSession.MAX_PENDING; i++) {
                execute(session, "stop");
            }

            QmpReply refused = execute(session, "query-status").get(5, TimeUnit.SECONDS);

            assertThat(refused.error()).contains("has not answered 64 commands");
            for (int i = 0; i < QmpSession.MAX_URGENT; i++) {
                assertThat(execute(session, "stop")).isNotDone();
            }
            refused = execute(session, "cont").get(5, TimeUnit.SECONDS);
            assertThat(refused.error()).contains("has not answered 80 commands");
            await().until(() -> qemu.count("stop") == QmpSession.MAX_PENDING + QmpSession.MAX_URGENT);
        }
    }

    @Test
    void shouldDispatchEventsThatComeInPieces() throws Exception {
        try (FakeQemu qemu = qemu()) {
            connect();
            String event = "{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"action\": \"stop\", \"device\": \"d1\"}}\r\n";

            for (int i = 0; i < event.length(); i++) {
                qemu.say(event.substring(i, i + 1));
            }

            await().until(() -> !events.isEmpty());
            assertThat(events.get(0).data().path("action").asText()).isEqualTo("stop");
        }
    }

    @Test
    void shouldPassOverGarbageBetweenMessages() throws Exception {
        try (FakeQemu qemu = qemu()) {
            connect();

            qemu.say("}{ not json\r\n");
            qemu.event("RESUME", "{}");

            await().until(() -> !events.isEmpty());
            assertThat(endings).isEmpty();
        }
    }

    @Test
    void shouldConnectWhenTheSocketAppearsAndSayOnceThatItIsMissing() throws Exception {
        client = QmpClient.start("web1", socket(), loop, this);
        await().until(() -> !troubles.isEmpty());
        assertThat(troubles.get(0)).contains(socket().toString());

        try (FakeQemu qemu = qemu()) {
            await().until(() -> !sessions.isEmpty());
            assertThat(troubles).hasSize(1);
            assertThat(qemu.commands).isNotEmpty();
        }
    }

    @Test
    void shouldConnectAgainWhenQemuRestarts() throws Exception {
        try (FakeQemu first = qemu()) {
            connect();
            assertThat(first.commands).isNotEmpty();
        }
        await().until(() -> endings.size() == 1);

        try (FakeQemu again = qemu()) {
            await().until(() -> sessions.size() == 2);
            assertThat(again.commands).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"220 mail.example.org ESMTP\r\n", "{\"hello\": 1}\r\n", "[]\r\n", "\u0000\u0001\u0002\n"})
    void shouldSayWhatCameInsteadOfAGreeting(String line) throws Exception {
        try (FakeQemu notQemu = new FakeQemu(socket(), line)) {
            client = QmpClient.start("web1", socket(), loop, this);

            await().atMost(Duration.ofSeconds(5)).until(() -> !troubles.isEmpty());

            assertThat(troubles.get(0)).contains("is not a QMP socket", socket().toString());
            assertThat(sessions).isEmpty();
            assertThat(notQemu.commands).isEmpty();
        }
    }

    @Test
    void shouldSayThatHalfALineIsNoGreetingWithinABoundedTime() throws Exception {
        try (FakeQemu notQemu = new FakeQemu(socket(), "{\"QM")) {
            client = QmpClient.start("web1", socket(), loop, this);

            await().atMost(Duration.ofMillis(QmpClient.GREETING_LIMIT_MS + 5_000))
                    .until(() -> !troubles.isEmpty());

            assertThat(troubles.get(0)).contains("instead of a greeting came '{\"QM'");
            assertThat(notQemu.commands).isEmpty();
        }
    }

    @Test
    void shouldSayThatNothingCameAndGoOnWaiting() throws Exception {
        try (ServerSocketChannel silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            silent.bind(UnixDomainSocketAddress.of(socket()));
            client = QmpClient.start("web1", socket(), loop, this);

            await().atMost(Duration.ofMillis(QmpClient.GREETING_LIMIT_MS + 5_000))
                    .until(() -> !troubles.isEmpty());

            assertThat(troubles.get(0)).contains("no greeting", socket().toString(), "Waiting on");
        }
    }

    @Test
    void shouldEndAConversationWhoseLinesNeverEnd() throws Exception {
        try (FakeQemu qemu = qemu()) {
            connect();

            String megabyte = "x".repeat(1 << 20);
            for (int i = 0; i < 5 && endings.isEmpty(); i++) {
                qemu.say(megabyte);
            }

            await().until(() -> !endings.isEmpty());
            assertThat(endings.get(0)).contains("a line of more than");
        }
    }

    @Test
    void shouldRefuseAPathThatIsTooLongForASocket() throws Exception {
        Path deep = directory.resolve("d".repeat(90)).resolve("d".repeat(90));
        Files.createDirectories(deep);
        client = QmpClient.start("web1", deep.resolve("qmp"), loop, this);

        await().until(() -> !troubles.isEmpty());

        assertThat(troubles.get(0)).contains("at most 107 bytes");
    }

    // ------------------------------------------------------------------ builders

    private Path socket() {
        return directory.resolve("qmp");
    }

    private FakeQemu qemu() throws IOException {
        return new FakeQemu(socket());
    }

    private QmpSession connect() {
        client = QmpClient.start("web1", socket(), loop, this);
        await().until(() -> !sessions.isEmpty());
        return sessions.get(0);
    }

    private CompletableFuture<QmpReply> execute(QmpSession session, String command) {
        CompletableFuture<QmpReply> reply = new CompletableFuture<>();
        loop.execute(() -> session.execute(command, reply::complete));
        return reply;
    }

    @Override
    public void connected(QmpSession session) {
        sessions.add(session);
    }

    @Override
    public void event(QmpEvent event) {
        events.add(event);
    }

    @Override
    public void disconnected(String why) {
        endings.add(why);
    }

    @Override
    public void unreachable(String why) {
        troubles.add(why);
    }
}
