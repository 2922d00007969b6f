package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetricsPageTest {
    private final PlaneRig rig = PlaneRig.inMemory();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void shouldBeReadByAStrictParser() {
        rig.done(PlaneRig.client("web1"));
        rig.done(PlaneRig.lu("root1", 1 << 30));
        Exposition page = Exposition.parse(MetricsPage.of(rig.plane, LiveFacts.NONE));
        assertThat(page.value("holdfast_clients")).isEqualTo(1);
        assertThat(page.value("holdfast_lus")).isEqualTo(1);
        assertThat(page.typeOf("holdfast_lu_latency_seconds")).isEqualTo("histogram");
        assertThat(page.typeOf("holdfast_logins_refused_total")).isEqualTo("counter");
    }
}
