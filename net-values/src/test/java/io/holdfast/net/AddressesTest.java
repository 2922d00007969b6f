package io.holdfast.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressesTest {
    @ParameterizedTest
    @CsvSource({
        "0:0:0:0:0:0:0:0, ::",
        "0:0:0:0:0:0:0:1, ::1",
        "2001:0DB8:0:0:0:0:0:0, 2001:db8::",
        "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "0:1:2:3:4:5:6:7, 0:1:2:3:4:5:6:7",
        "1:0:0:0:0:0:0:0, 1::",
        "fe80:0:0:0:a00:27ff:fe4e:66a1, fe80::a00:27ff:fe4e:66a1",
        "ABCD:00EF:1:2:3:4:5:6, abcd:ef:1:2:3:4:5:6"
    })
    void shouldPrintIpv6AsRfc5952Wants(String text, String expected) throws UnknownHostException {
        InetAddress host = InetAddress.getByName(text);

        assertThat(Addresses.printHost(host)).isEqualTo(expected);
        assertThat(Addresses.print(new InetSocketAddress(host, 3260))).isEqualTo("[" + expected + "]:3260");
    }

    @Test
    void shouldPrintIpv4AndWhatHasNoAddress() {
        assertThat(Addresses.print(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1)))
                .isEqualTo("127.0.0.1:1");
        assertThat(Addresses.print(InetSocketAddress.createUnresolved("vios1", 3261)))
                .isEqualTo("vios1:3261");
        assertThat(Addresses.print(null)).isEqualTo("?");
    }

    @Test
    void shouldLeaveOutTheZone() throws UnknownHostException {
        byte[] bytes = InetAddress.getByName("fe80::1").getAddress();

        assertThat(Addresses.printHost(java.net.Inet6Address.getByAddress(null, bytes, 1)))
                .isEqualTo("fe80::1");
    }

    @Test
    void shouldKeepTheZoneForReadersOnThisMachine() throws UnknownHostException {
        byte[] bytes = InetAddress.getByName("fe80::1").getAddress();
        InetAddress linkLocal = java.net.Inet6Address.getByAddress(null, bytes, 1);

        assertThat(Addresses.printHere(new InetSocketAddress(linkLocal, 3260))).isEqualTo("[fe80::1%1]:3260");
        assertThat(Addresses.printHere(new InetSocketAddress(InetAddress.getLoopbackAddress(), 3260)))
                .isEqualTo("127.0.0.1:3260");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:3260", "[::1]:0", "[::]:65535", "[2001:db8::1]:3260"})
    void shouldReadWhatItPrints(String text) throws AddressException {
        assertThat(Addresses.print(Addresses.parse("listen", text))).isEqualTo(text);
        assertThat(Addresses.parseNumeric(text).map(Addresses::print)).contains(text);
    }

    @ParameterizedTest
    @CsvSource({
        "3260, listen '3260' is not ADDRESS:PORT",
        "::1:3260, listen '::1:3260' is not ADDRESS:PORT",
        "'', listen '' is not ADDRESS:PORT",
        ":3260, listen ':3260' is not ADDRESS:PORT",
        "127.0.0.1:http, listen '127.0.0.1:http': port 'http' is not in 0..65535",
        "127.0.0.1:65536, listen '127.0.0.1:65536': port '65536' is not in 0..65535",
        "127.0.0.1:, listen '127.0.0.1:': port '' is not in 0..65535",
        "[zz]:3260, listen '[zz]:3260': no such host"
    })
    void shouldSayWhatIsWrong(String text, String message) {
        assertThatThrownBy(() -> Addresses.parse("listen", text))
                .isInstanceOf(AddressException.class)
                .hasMessageStartingWith(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"localhost:3260", "vios1:3260", "127.0.0.1", "127.0.0.1:x", "::1:3260", "1.2:3260", "999.1.1.1:1"
            })
    void shouldReadNoNamesOnAnEventLoop(String text) {
        assertThat(Addresses.parseNumeric(text)).isEmpty();
    }
}
