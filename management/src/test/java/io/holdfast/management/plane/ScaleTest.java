package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.operator.OperatorQuery;
import io.holdfast.control.operator.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A thousand clients with five LUs each. The limits are generous: what is measured is printed. */
class ScaleTest {
    private static final int CLIENTS = 1000;
    private static final int LUS_EACH = 5;
    private static final long GIB = 1L << 30;

    @TempDir
    Path temporary;

    @Test
    void shouldStayQuickWithAThousandClientsAndFiveThousandLus() throws IOException {
        Path directory = temporary.resolve("plane");
        long[] micros = new long[CLIENTS * (1 + 2 * LUS_EACH)];
        int count = 0;
        try (PlaneRig rig = PlaneRig.at(directory)) {
            rig.furnish();
            for (int client = 0; client < CLIENTS; client++) {
                long begun = System.nanoTime();
                rig.done(PlaneRig.client("client" + client));
                micros[count++] = (System.nanoTime() - begun) / 1000;
                for (int lu = 0; lu < LUS_EACH; lu++) {
                    begun = System.nanoTime();
                    rig.done(PlaneRig.lu("lu" + client + "-" + lu, GIB));
                    micros[count++] = (System.nanoTime() - begun) / 1000;
                    begun = System.nanoTime();
                    rig.done(PlaneRig.map("client" + client, "lu" + client + "-" + lu));
                    micros[count++] = (System.nanoTime() - begun) / 1000;
                }
            }
        }
        long[] last = Arrays.copyOfRange(micros, count - 1000, count);
        Arrays.sort(last);
        long opened = System.nanoTime();
        try (PlaneRig rig = PlaneRig.at(directory)) {
            long openMs = (System.nanoTime() - opened) / 1_000_000;
            long asked = System.nanoTime();
            List<Row.LsmapRow> rows = rig.rows(new OperatorQuery.Lsmap(null));
            long lsmapMs = (System.nanoTime() - asked) / 1_000_000;
            System.out.printf(
                    "%d clients, %d LUs: the last 1000 commands took %d us (median), %d us (99 %%) each; opening %d ms; lsmap %d ms%n",
                    CLIENTS, CLIENTS * LUS_EACH, last[500], last[990], openMs, lsmapMs);
            assertThat(rows).hasSize(CLIENTS * LUS_EACH);
            assertThat(lsmapMs).as("ms for lsmap").isLessThan(1000);
            assertThat(openMs).as("ms to open").isLessThan(3000);
            assertThat(last[500]).as("microseconds of a command").isLessThan(50_000);
        }
    }
}
