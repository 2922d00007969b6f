package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FailoverReportTest {
    private static final long MS = 1_000_000;

    private static FailoverResult result(FailoverFault fault, List<String> reasons, OutageFigures... outages) {
        FailoverPlan plan = new FailoverPlan(
                fault, GuestDisks.VIRTIO_BLK, GuestLoad.STEADY, Duration.ofMillis(1500), 1, Route.THROUGH_AGENT, 42);
        return new FailoverResult(
                plan, Instant.EPOCH, 9, List.of(outages), 1234, reasons, "", List.of(), Company.ALONE);
    }

    private static OutageFigures figures(double freezeMs, double thawMs) {
        OptionalDouble freeze = OptionalDouble.of(freezeMs);
        OptionalDouble thaw = OptionalDouble.of(thawMs);
        return new OutageFigures(1, freeze, freeze, freeze, thaw, thaw, 1);
    }

    private static OutageFigures.Course course(OptionalLong progress, QemuTrace.Change... changes) {
        return new OutageFigures.Course(List.of(changes), progress);
    }

    @Test
    void shouldMeasureFromTheFaultAndFromItsEndToTheGuestThatIsLast() {
        OutageFigures figures = OutageFigures.of(
                1,
                100 * MS,
                OptionalLong.of(2_000 * MS),
                List.of(
                        course(
                                OptionalLong.of(2_090 * MS),
                                new QemuTrace.Change(110 * MS, false, "paused"),
                                new QemuTrace.Change(2_050 * MS, true, "running")),
                        course(OptionalLong.of(2_200 * MS), new QemuTrace.Change(130 * MS, false, "paused"))),
                List.of(
                        new Child.Line(90 * MS, "server 127.0.0.1:1 lost: an earlier one"),
                        new Child.Line(115 * MS, "server 127.0.0.1:1 lost: connection closed")));

        assertThat(figures.detectMs()).hasValue(10);
        assertThat(figures.freezeMs()).hasValue(10);
        assertThat(figures.lastFreezeMs()).hasValue(30);
        assertThat(figures.thawMs()).hasValue(90);
        assertThat(figures.lastThawMs()).hasValue(200);
        assertThat(figures.freezes()).isEqualTo(1);
    }

    @Test
    void shouldWriteALineForEachOutageAndAPageThatIsWellFormed(@TempDir Path folder) throws Exception {
        FailoverReport report = new FailoverReport(
                "scripts/failover.sh --quick --seed 42",
                List.of(
                        result(FailoverFault.KILL, List.of(), figures(12, 80), figures(31, 90)),
                        result(FailoverFault.CUT, List.of("web1: \"torn\" <record>\nand more"), figures(1900, 700))));

        report.write(folder);

        assertThat(Files.readAllLines(folder.resolve("failover.csv")))
                .hasSize(4)
                .anySatisfy(line -> assertThat(line).contains(",kill,virtio-blk,steady,1.5,1,yes,42,yes,12.0,"))
                .last()
                .asString()
                .endsWith("\"web1: 'torn' <record>; and more\"");
        String page = Files.readString(folder.resolve("failover.html"));
        assertThat(page).contains("&lt;record&gt;").contains("class=\"bad\"").contains("class=\"late\"");
        // The doctype and the meta element are HTML's own; the rest is written as XML.
        String body =
                page.substring(page.indexOf("<body>"), page.indexOf("</html>")).replace("<br>", "<br/>");
        assertThat(DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new org.xml.sax.InputSource(new java.io.StringReader(body))))
                .isNotNull();
    }

    @Test
    void shouldShowMedianTailAndLargestInTheTable() {
        List<String> table = new FailoverReport(
                        "x", List.of(result(FailoverFault.KILL, List.of(), figures(12, 80), figures(31, 90))))
                .table();

        assertThat(table).hasSize(3);
        assertThat(table.get(0)).contains("median / 99th percentile / largest");
        assertThat(table.get(1)).as("columns under their headings").hasSameSizeAs(table.get(2));
        assertThat(table.get(2)).contains("kill").contains("12.0 / 31.0 / 31.0").contains("80.0 / 90.0 / 90.0");
    }

    @Test
    void shouldJudgeDrillsThatHadCompanyAndKeepTheirFiguresOut() {
        FailoverReport report = new FailoverReport(
                "scripts/failover.sh --all --together 6 --seed 42",
                List.of(
                        result(FailoverFault.KILL, List.of(), figures(12, 80)),
                        result(FailoverFault.KILL, List.of("lost"), figures(977, 988))
                                .in(Company.TOGETHER)));

        assertThat(report.table().get(0)).endsWith("not in the figures: 1.");
        assertThat(report.table().get(2))
                .matches("kill +2 +1 .*")
                .contains("12.0 / 12.0 / 12.0")
                .doesNotContain("977");
        assertThat(report.csv()).last().asString().endsWith(",1,1234,yes,\"lost\"");
        assertThat(report.html()).doesNotContain("988");
    }
}
