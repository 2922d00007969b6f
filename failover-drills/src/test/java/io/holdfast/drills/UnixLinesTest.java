package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixLinesTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void shouldWaitForTheListenerOfASocketWhoseFileIsThere() throws Exception {
        Path path = folder.resolve("port");
        ServerSocketChannel early = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        early.bind(UnixDomainSocketAddress.of(path));
        // Closed, the file stays: whoever connects is refused, as in the moment between bind and listen.
        early.close();
        CompletableFuture<UnixLines> lines = CompletableFuture.supplyAsync(() -> {
            try {
                return UnixLines.connect(path);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        Files.delete(path);

        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            try (UnixLines connected = lines.get(10, TimeUnit.SECONDS);
                    SocketChannel peer = listener.accept()) {
                connected.write("hello");
                assertThat(peer.isConnected()).isTrue();
            }
        }
    }
}
