package io.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class UnixStreamTest {
    private static final int LINE_LIMIT = 100_000;

    @TempDir
    Path dir;

    private Path path;
    private ServerSocketChannel server;

    @BeforeEach
    void listen() throws IOException {
        path = dir.resolve("qmp");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path), 1);
    }

    @AfterEach
    void stopListening() throws IOException {
        server.close();
    }

    @Test
    void shouldReadLinesHoweverTheyArrive() throws IOException {
        try (UnixStream stream = UnixStream.connect(path, 1000);
                SocketChannel peer = server.accept()) {
            send(peer, "{\"QMP\":");
            stream.readTimeoutMs(20);
            assertThatThrownBy(() -> stream.readLine(LINE_LIMIT)).isInstanceOf(SocketTimeoutException.class);
            stream.readTimeoutMs(0);
            send(peer, "1}\r\n\nlast " + "x".repeat(50_000) + "\nunfinished");
            peer.shutdownOutput();
            assertThat(stream.readLine(LINE_LIMIT)).isEqualTo("{\"QMP\":1}");
            assertThat(stream.readLine(LINE_LIMIT)).isEmpty();
            assertThat(stream.readLine(LINE_LIMIT)).hasSize(50_005);
            assertThat(stream.readLine(LINE_LIMIT)).isNull();
        }
    }

    @Test
    void shouldRefuseALineThatDoesNotEnd() throws IOException {
        try (UnixStream stream = UnixStream.connect(path, 1000);
                SocketChannel peer = server.accept()) {
            send(peer, "x".repeat(101));
            assertThatThrownBy(() -> stream.readLine(100))
                    .hasMessage("read " + path + ": a line is longer than 100 bytes");
        }
    }

    @Test
    void shouldReadAndWriteBytes() throws IOException {
        try (UnixStream stream = UnixStream.connect(path, 1000);
                SocketChannel peer = server.accept()) {
            stream.write("ping".getBytes(StandardCharsets.UTF_8));
            ByteBuffer got = ByteBuffer.allocate(4);
            while (got.hasRemaining() && peer.read(got) >= 0) {}
            assertThat(new String(got.array(), StandardCharsets.UTF_8)).isEqualTo("ping");
            send(peer, "pong");
            byte[] answer = new byte[10];
            assertThat(stream.read(answer, 0, 3)).isEqualTo(3);
            assertThat(stream.read(answer, 3, 7)).isEqualTo(1);
            assertThat(new String(answer, 0, 4, StandardCharsets.UTF_8)).isEqualTo("pong");
            peer.shutdownOutput();
            assertThat(stream.read(answer, 0, 1)).isEqualTo(-1);
        }
    }

    @Test
    void shouldTellWhoListens() throws IOException {
        try (UnixStream stream = UnixStream.connect(path, 1000)) {
            PeerCredentials peer = stream.peerCredentials();
            assertThat(peer.pid()).isEqualTo((int) ProcessHandle.current().pid());
            assertThat(peer.uid()).isEqualTo(Files.getAttribute(path, "unix:uid"));
            assertThat(peer.gid()).isEqualTo(Files.getAttribute(Path.of("/proc/self"), "unix:gid"));
            assertThat(stream.path()).isEqualTo(path.toString());
        }
    }

    @Test
    void shouldTellWhoListensByDescriptorToo() throws Exception {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path));
                Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            assertThat(client.isConnected()).isTrue();
            assertThat(links.map(link -> Integer.parseInt(link.getFileName().toString()))
                            .map(UnixStreamTest::pidOfPeer))
                    .contains((int) ProcessHandle.current().pid());
        }
    }

    private static int pidOfPeer(int fd) {
        try {
            return Linux.peerCredentials(fd).pid();
        } catch (LinuxException e) {
            return 0; // not a socket
        }
    }

    @Test
    void shouldGiveUpWhenTheOtherEndDoesNotTakeTheBytes() throws IOException {
        try (UnixStream stream = UnixStream.connect(path, 1000);
                SocketChannel peer = server.accept()) {
            assertThat(peer.isConnected()).isTrue();
            stream.writeTimeoutMs(20);
            assertThatThrownBy(() -> stream.write(new byte[8 << 20])).isInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void shouldGiveUpConnectingWhenTheBacklogIsFull() throws IOException {
        try (UnixStream first = UnixStream.connect(path, 20);
                UnixStream second = UnixStream.connect(path, 20)) {
            assertThat(first.path()).isEqualTo(second.path());
            assertThatThrownBy(() -> UnixStream.connect(path, 20))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessage("connect " + path + ": not accepted within 20 ms");
        }
    }

    @Test
    void shouldWakeTheReaderAtClose() throws Exception {
        UnixStream stream = UnixStream.connect(path, 1000);
        AtomicReference<Thread> reader = new AtomicReference<>();
        CompletableFuture<Integer> read = CompletableFuture.supplyAsync(() -> {
            reader.set(Thread.currentThread());
            try {
                return stream.read(new byte[1], 0, 1);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        Awaitility.await("the reader is inside read(2)")
                .atMost(Duration.ofSeconds(10))
                .until(() -> reader.get() != null && isReading(reader.get()));
        stream.close();
        stream.close();
        assertThat(read.get(10, TimeUnit.SECONDS)).isEqualTo(-1);
        assertThat(stream.read(new byte[1], 0, 1)).isEqualTo(-1);
        assertThatThrownBy(() -> stream.write(new byte[1])).hasMessage("write " + path + ": closed");
    }

    private static boolean isReading(Thread thread) {
        return Stream.of(thread.getStackTrace())
                .anyMatch(frame -> frame.getClassName().startsWith("jnr.enxio.")
                        && frame.getMethodName().equals("read"));
    }

    @Test
    void shouldNameThePathAndTheReasonWhenNobodyListens() throws IOException {
        Path missing = dir.resolve("missing");
        assertThatThrownBy(() -> UnixStream.connect(missing, 1000))
                .hasMessage("connect " + missing + ": No such file or directory");
        server.close();
        assertThatThrownBy(() -> UnixStream.connect(path, 1000)).hasMessage("connect " + path + ": Connection refused");
        Path plain = Files.createFile(dir.resolve("plain"));
        assertThatThrownBy(() -> UnixStream.connect(plain, 1000))
                .hasMessage("connect " + plain + ": Connection refused");
        Path tooLong = dir.resolve("x".repeat(120));
        assertThatThrownBy(() -> UnixStream.connect(tooLong, 1000)).hasMessageContaining("at most 107");
    }

    @Test
    void shouldLeakNoDescriptor() throws IOException {
        UnixStream.connect(path, 1000).close();
        server.close();
        long before = descriptors();
        for (int i = 0; i < 50; i++) {
            assertThatThrownBy(() -> UnixStream.connect(path, 1000)).isInstanceOf(IOException.class);
        }
        assertThat(descriptors()).isLessThan(before + 25);
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            return links.count();
        }
    }

    private static void send(SocketChannel peer, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            peer.write(bytes);
        }
    }
}
