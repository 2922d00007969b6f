package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReachableTest {
    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::"})
    void shouldNameAnAddressOfThisHostForAWildcard(String wildcard) throws Exception {
        InetSocketAddress reachable = Reachable.of(new InetSocketAddress(InetAddress.getByName(wildcard), 3260));

        assertThat(reachable.getAddress().isAnyLocalAddress()).isFalse();
        assertThat(reachable.getPort()).isEqualTo(3260);
        assertThat(new java.net.ServerSocket(0, 1, reachable.getAddress()))
                .as("an address that can be bound is this host's")
                .satisfies(java.net.ServerSocket::close);
    }

    @Test
    void shouldLeaveAnyOtherAddressAlone() {
        InetSocketAddress portal = new InetSocketAddress(InetAddress.getLoopbackAddress(), 3260);

        assertThat(Reachable.of(portal)).isEqualTo(portal);
    }
}
