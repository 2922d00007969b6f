package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServingNoticeTest {
    private static String print(InetSocketAddress portal) {
        StringWriter text = new StringWriter();
        PrintWriter out = new PrintWriter(text);
        new ServingNotice(
                        List.of(),
                        List.of(portal),
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 3261),
                        "iqn.2026-11.io.holdfast")
                .printTo(out);
        out.flush();
        return text.toString();
    }

    @Test
    void shouldShowTheFormOfATargetWhereNothingIsExported() {
        assertThat(print(new InetSocketAddress(InetAddress.getLoopbackAddress(), 3260)))
                .startsWith("iscsi://127.0.0.1:3260\n\nA guest that survives")
                .contains("iscsi://PORTAL-OF-THE-AGENT/iqn.2026-11.io.holdfast:vfchostN/0,format=raw")
                .contains("\n  holdfast agent --server 127.0.0.1:3261 ");
    }

    @Test
    void shouldSayThatAPortIsOpenEverywhere() {
        assertThat(print(new InetSocketAddress(3260)))
                .contains("\n  port 3260 is open at every address of this host\n\n");
    }
}
