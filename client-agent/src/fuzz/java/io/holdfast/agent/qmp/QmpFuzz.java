package io.holdfast.agent.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a monitor says, in whatever pieces: the agent's reader goes on until the end, and says why it ended. */
class QmpFuzz {
    private static final Path SOCKET = Path.of("/run/vm.qmp");
    private static final int DEADLINE_SECONDS = 10;

    static Stream<byte[]> seeds() {
        String greeting = FakeQemu.GREETING + "{\"return\": {}, \"id\": 0}\r\n";
        return Stream.of(
                        piece(1) + greeting + "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1}}\r\n",
                        piece(7) + greeting + "{\"return\": {\"status\": \"running\"}, \"id\": 1}\r\n{}\r\nnull\r\n[]\r\n",
                        piece(48) + FakeQemu.GREETING + "{\"error\": {\"class\": \"x\", \"desc\": \"no\"}, \"id\": 0}\n",
                        piece(127) + greeting + "{\"error\": {}, \"id\": 2}\n\n\r\n{\"event\":{}}\n{\"id\": 1e99}\n",
                        piece(16) + "SSH-2.0-OpenSSH_9.2p1\r\n",
                        piece(16) + "{\"QMP\": 1}\n")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    private static String piece(int bytes) {
        return String.valueOf((char) bytes);
    }

    @MethodSource("seeds")
    @FuzzTest
    void shouldReadWhateverAMonitorSays(byte[] input) throws Exception {
        Said monitor = new Said(input);
        Heard heard = new Heard();
        CountDownLatch asked = new CountDownLatch(1);
        QmpClient client = QmpClient.start(
                "vm",
                SOCKET,
                socket -> {
                    if (asked.getCount() == 0) {
                        throw new IOException("once is enough");
                    }
                    asked.countDown();
                    return monitor;
                },
                Runnable::run,
                heard);
        try {
            assertThat(monitor.closed.await(DEADLINE_SECONDS, TimeUnit.SECONDS))
                    .as("the reader has read to the end and closed")
                    .isTrue();
            assertThat(heard.ended.await(DEADLINE_SECONDS, TimeUnit.SECONDS))
                    .as("it said how it ended")
                    .isTrue();
            assertThat(heard.why).isNotBlank().doesNotContain("\n", "\r");
        } finally {
            client.close();
        }
    }

    /** A monitor that says what the fuzzer wants, in pieces of as many bytes as its first byte says. */
    private static final class Said implements QmpTransport {
        private final ByteBuffer rest;
        private final int pieceBytes;
        private final CountDownLatch closed = new CountDownLatch(1);

        Said(byte[] input) {
            rest = ByteBuffer.wrap(input);
            pieceBytes = rest.hasRemaining() ? Math.max(1, rest.get() & 0xff) : 1;
        }

        @Override
        public int read(ByteBuffer into) {
            if (!rest.hasRemaining()) {
                return -1;
            }
            int take = Math.min(pieceBytes, Math.min(rest.remaining(), into.remaining()));
            into.put(rest.duplicate().limit(rest.position() + take));
            rest.position(rest.position() + take);
            return take;
        }

        @Override
        public void write(ByteBuffer bytes) {
            bytes.position(bytes.limit());
        }

        @Override
        public int peerPid() {
            return 0;
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    private static final class Heard implements QmpClient.Listener {
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile String why = "";
        private @Nullable QmpSession session;

        @Override
        public void connected(QmpSession connected) {
            session = connected;
            connected.execute("query-status", reply -> assertThat(reply.failed() || reply.value() != null)
                    .isTrue());
        }

        @Override
        public void event(QmpEvent event) {
            assertThat(event.name()).isNotNull();
            assertThat(session).isNotNull();
        }

        @Override
        public void disconnected(String reason) {
            why = reason;
            ended.countDown();
        }

        @Override
        public void unreachable(String reason) {
            why = reason;
            ended.countDown();
        }
    }
}
