package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.net.Addresses;
import io.holdfast.scsi.FixedLunView;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DiscoveryTest {
    private static final InetSocketAddress PEER = address("192.0.2.77:40000");

    private final Discovery.Portals portals = new Discovery.Portals();
    private final TargetDirectory first = group(1);

    private static TargetDirectory group(int tag) {
        return new IscsiRig.OneTarget(new IscsiTarget(IscsiRig.TARGET, tag, new FixedLunView(Map.of())));
    }

    private static InetSocketAddress address(String text) {
        return Addresses.parseNumeric(text).orElseThrow();
    }

    private void open(String host, TargetDirectory directory) {
        portals.opened(address(host + ":3260"), directory);
    }

    private List<String> toldAt(String host) {
        InetSocketAddress local = address(host + ":3260");
        return new Discovery(portals, first, "iqn.2026-11.example:a", local, PEER)
                .targets()
                .getOrDefault(IscsiRig.TARGET, List.of());
    }

    @Test
    void shouldNameNoLoopbackToWhoComesFromElsewhere() {
        open("192.0.2.1", first);
        open("198.51.100.1", group(2));
        open("127.0.0.1", group(3));
        open("[fe80::1]", group(4));
        assertThat(toldAt("192.0.2.1")).containsExactly("192.0.2.1:3260,1", "198.51.100.1:3260,2");
        assertThat(toldAt("127.0.0.1")).contains("198.51.100.1:3260,2");
    }

    @Test
    void shouldNameAPortalThatListensEverywhereByTheAddressThatReachedIt() {
        open("[::]", first);
        assertThat(toldAt("192.0.2.1")).containsExactly("192.0.2.1:3260,1");
        assertThat(toldAt("[2001:db8::1]")).containsExactly("[2001:db8::1]:3260,1");
    }

    @Test
    void shouldNameAtEachPortalOnlyWhatIsSeenThere() {
        open("192.0.2.1", first);
        portals.opened(address("198.51.100.1:3260"), new TargetDirectory() {
            @Override
            public Decision login(String initiatorName, String targetName) {
                throw new AssertionError("nobody logs in");
            }

            @Override
            public List<IscsiTarget> visibleTo(String initiatorName) {
                return List.of(new IscsiTarget("iqn.2026-11.example:other", 2, new FixedLunView(Map.of())));
            }
        });
        assertThat(toldAt("192.0.2.1")).containsExactly("192.0.2.1:3260,1");
    }
}
