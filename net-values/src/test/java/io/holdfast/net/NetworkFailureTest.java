package io.holdfast.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetworkFailureTest {
    private static final InetSocketAddress PORTAL = new InetSocketAddress(InetAddress.getLoopbackAddress(), 3260);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bind(..) failed with error(-98): Address already in use"
                        + "|cannot listen on 127.0.0.1:3260: another program uses it ('ss -tanp' tells which)",
                "bind(..) failed with error(-99): Cannot assign requested address"
                        + "|cannot listen on 127.0.0.1:3260: this machine does not have the address",
                "something new|cannot listen on 127.0.0.1:3260: something new"
            })
    void shouldSayWhyAPortCannotBeHad(String message, String words) {
        assertThat(NetworkFailure.ofListening(PORTAL, new IOException(message))).isEqualTo(words);
    }

    @Test
    void shouldNameTheUserWhoMayNotHaveThePort() {
        assertThat(NetworkFailure.ofListening(
                        PORTAL, new IOException("bind(..) failed with error(-13): Permission denied")))
                .contains("user " + System.getProperty("user.name") + " may not", "below 1024");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "finishConnect(..) failed with error(-111): Connection refused: /127.0.0.1:3261"
                        + "|connection refused: nothing listens there",
                "Connection refused|connection refused: nothing listens there",
                "recvAddress(..) failed with error(-104): Connection reset by peer|the other end broke the connection",
                "connection timed out after 500 ms: /192.0.2.1:3261|no answer",
                "finishConnect(..) failed with error(-113): No route to host|no route to the host",
                "something new|something new"
            })
    void shouldSayInWordsWhatTheTransportsSayInNumbers(String message, String words) {
        assertThat(NetworkFailure.inWords(new IOException(message))).isEqualTo(words);
    }

    @Test
    void shouldSayOfAClosedConnectionThatItWasClosedAndNotTheNameOfAClass() {
        assertThat(NetworkFailure.inWords(new ClosedChannelException())).isEqualTo("the connection was closed");
    }

    @Test
    void shouldSayAtLeastWhatKindOfFailureItIs() {
        assertThat(NetworkFailure.inWords(new IOException())).isEqualTo("IOException");
        assertThat(NetworkFailure.inWords(null)).isEqualTo("unknown");
    }
}
