package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class ProcessSocketsTest {
    @Test
    void shouldReadAddressesAsTheKernelPrintsThem() throws Exception {
        InetSocketAddress ipv4 = ProcessSockets.address("0100007F:0CBC");
        InetSocketAddress ipv6 = ProcessSockets.address("00000000000000000000000001000000:0CBC");

        assertThat(ipv4.getAddress().getHostAddress()).isEqualTo("127.0.0.1");
        assertThat(ipv4.getPort()).isEqualTo(3260);
        assertThat(ipv6.getAddress().getHostAddress()).isEqualTo("0:0:0:0:0:0:0:1");
    }

    @Test
    void shouldFindNothingOfAProcessThatHasGone() {
        assertThat(ProcessSockets.established(Integer.MAX_VALUE)).isEmpty();
    }
}
