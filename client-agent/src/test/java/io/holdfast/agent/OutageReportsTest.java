package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.FreezeState;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutageReportsTest {
    @TempDir
    private Path folder;

    private long now = 1_700_000_000_000L;

    private OutageReports reports() {
        return new OutageReports(folder, Runnable::run, () -> now);
    }

    private List<Path> written(String kind) throws Exception {
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(kind)).toList();
        }
    }

    private void outage(OutageReports reports, String vm) {
        reports.vmChanged(vm, FreezeState.RUNNING, FreezeState.FREEZING, "server <s> lost & gone", 1);
        reports.serverLost("connection closed");
        now += 20;
        reports.vmChanged(vm, FreezeState.FREEZING, FreezeState.FROZEN, "the same", 20);
        now += 6_000;
        reports.serverServes("127.0.0.1:3260", 2);
        reports.vmChanged(vm, FreezeState.FROZEN, FreezeState.PROVING, "answers", 6_000);
        now += 100;
        reports.vmChanged(vm, FreezeState.PROVING, FreezeState.RUNNING, "thawed", 100);
    }

    @Test
    void shouldWriteWhatHappenedWhen() throws Exception {
        outage(reports(), "web1");

        String text = Files.readString(written(".txt").get(0));
        assertThat(text)
                .contains("1 VM, 6120 ms")
                .contains("PROVING after 6000 ms FROZEN")
                .contains("server           lost");
    }

    @Test
    void shouldDrawAPictureThatIsXml() throws Exception {
        outage(reports(), "web1");

        String svg = Files.readString(written(".svg").get(0));
        assertThat(svg).contains("server &lt;s&gt; lost &amp; gone");
        DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void shouldWriteOneReportForAllVmsOfAnOutage() throws Exception {
        OutageReports reports = reports();
        reports.vmChanged("a", FreezeState.RUNNING, FreezeState.FREEZING, "lost", 1);
        outage(reports, "b");
        assertThat(written(".txt")).isEmpty();

        reports.vmChanged("a", FreezeState.FROZEN, FreezeState.RUNNING, "thawed", 1);

        assertThat(written(".txt")).hasSize(1);
    }

    @Test
    void shouldKeepNoMoreThanItsLimit() throws Exception {
        OutageReports reports = reports();
        for (int i = 0; i < OutageReports.MAX_REPORTS + 5; i++) {
            outage(reports, "web1");
        }

        assertThat(written(".txt")).hasSize(OutageReports.MAX_REPORTS);
        assertThat(written(".svg")).hasSize(OutageReports.MAX_REPORTS);
    }
}
