package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(10)
class GuestPortTest {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    @TempDir
    Path folder;

    @Test
    void shouldPutLinesTogetherWhereverTheyAreSplit() throws Exception {
        String said = "ready 1 writers=1 device=/dev/vda boot=b1\nack 0 1 2 3\nack 0 2 4 5\n";
        try (ServerSocketChannel qemu = listen();
                GuestPort port = GuestPort.connect(socket(), report);
                SocketChannel guest = qemu.accept()) {
            for (byte one : said.getBytes(StandardCharsets.US_ASCII)) {
                guest.write(ByteBuffer.wrap(new byte[] {one}));
            }
            report.await("two records", LIMIT, heard -> heard.ledger().acked() == 2);
            assertThat(report.garbled()).isEmpty();
            port.stopWriters();
            port.askForSummary();
            port.powerOff();
            assertThat(read(guest, "stop\nreport\npoweroff\n".length())).isEqualTo("stop\nreport\npoweroff\n");
        }
    }

    @Test
    void shouldSayThatTheGuestHasGone() throws Exception {
        try (ServerSocketChannel qemu = listen();
                GuestPort port = GuestPort.connect(socket(), report)) {
            assertThat(port).isNotNull();
            qemu.accept().close();
            assertThatThrownBy(() -> report.await(
                            "it speaks", LIMIT, heard -> heard.ready().isPresent()))
                    .hasMessageContaining("closed its port");
        }
    }

    @Test
    void shouldFailWhenNobodyListens() {
        assertThatThrownBy(() -> GuestPort.connect(socket(), report)).isInstanceOf(IOException.class);
    }

    private final GuestReport report = new GuestReport();

    private Path socket() {
        return folder.resolve("port");
    }

    private ServerSocketChannel listen() throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket()));
    }

    private static String read(SocketChannel channel, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
            // Until all is there: the test's own time limit ends it otherwise.
        }
        return new String(buffer.array(), StandardCharsets.US_ASCII);
    }
}
