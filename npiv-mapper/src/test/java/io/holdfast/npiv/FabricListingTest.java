package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FabricListingTest {
    private final Scene scene = Scene.withPoolAndPort();

    @Test
    void shouldListServerAdaptersAsLsmapNpivDoes() {
        ClientAdapter adapter = scene.reachable("web1");
        scene.pair(scene.adapter(scene.client("web2")));
        List<FabricListing.LsmapNpiv> rows = listing().lsmapNpiv(Map.of(adapter.activeName(), 2));
        assertThat(rows)
                .containsExactly(
                        new FabricListing.LsmapNpiv(
                                "vfchost0",
                                "iqn.2026-11.io.holdfast:vfchost0",
                                1,
                                "web1",
                                "vm",
                                "LOGGED_IN",
                                "fcs0",
                                "192.0.2.9:3260",
                                2,
                                List.of("LOGGED_IN"),
                                "fcs0",
                                "V1-C1",
                                "c05076075aac0000,c05076075aac0001",
                                "c05076075aac0000"),
                        new FabricListing.LsmapNpiv(
                                "vfchost1",
                                "iqn.2026-11.io.holdfast:vfchost1",
                                2,
                                "web2",
                                "vm",
                                "NOT_MAPPED",
                                null,
                                null,
                                0,
                                List.of("NOT_MAPPED"),
                                "fcs0",
                                "V2-C1",
                                "c05076075aac0002,c05076075aac0003",
                                "c05076075aac0002"));
    }

    @Test
    void shouldShowThatAClientIsBeingMoved() {
        scene.reachable("web1");
        scene.done(new MigrationCommand.Prepare(1));
        assertThat(listing().lsmapNpiv(Map.of()))
                .singleElement()
                .satisfies(row -> assertThat(row.flags()).containsExactly("NOT_LOGGED_IN", "MIGRATING"));
    }

    @Test
    void shouldListTheDevicesOfEachServerAdapter() {
        scene.reachable("web1");
        scene.lu("iso", Sharing.SHARED);
        scene.done(new LuCommand.Map(1, "iso", MapAccess.READ_ONLY, 7));
        assertThat(listing().lsmap())
                .containsExactly(new FabricListing.Lsmap(
                        "vfchost0",
                        "iqn.2026-11.io.holdfast:vfchost0",
                        1,
                        List.of(
                                new FabricListing.Device("vtd1_0", "Available", 0, "disk-web1", "rw", "private"),
                                new FabricListing.Device("vtd1_7", "Available", 7, "iso", "ro", "shared"))));
    }

    @Test
    void shouldCountWhatIsLeftOfEachPort() {
        scene.reachable("web1");
        assertThat(listing().lsnports())
                .containsExactly(new FabricListing.Lsnports("fcs0", "192.0.2.9:3260", 1, 64, 63, 128, 126));
        assertThat(listing().vfcmap()).containsExactly(new FabricListing.Vfcmap("vfchost0", "fcs0"));
    }

    private FabricListing listing() {
        return new FabricListing(scene.fabric, scene.directory());
    }
}
