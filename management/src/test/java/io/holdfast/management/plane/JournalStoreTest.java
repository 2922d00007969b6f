package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.OperatorQuery;
import io.holdfast.control.operator.Row;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalStoreTest {
    private static final long GIB = 1L << 30;

    @TempDir
    Path temporary;

    private Path directory() {
        return temporary.resolve("plane");
    }

    @Test
    void shouldComeBackAsItWasAfterAnyCommand() throws IOException {
        Random random = new Random(4);
        Set<String> issued = new HashSet<>();
        String before = "";
        for (int life = 0; life < 6; life++) {
            try (PlaneRig rig = PlaneRig.at(directory())) {
                if (life == 0) {
                    rig.furnish();
                } else {
                    assertThat(PlaneRig.print(rig.plane.state())).isEqualTo(before);
                }
                for (int i = 0; i < 300; i++) {
                    rig.plane.ask(RandomCommands.next(random, rig.plane.state()), PlaneRig.ADMIN, OptionalLong.empty());
                }
                List<Row.AdapterRow> adapters = rig.rows(new OperatorQuery.ListAdapters(null));
                adapters.forEach(row -> issued.add(row.active()));
                before = PlaneRig.print(rig.plane.state());
            }
        }
        assertThat(issued).hasSizeGreaterThan(20);
        try (Stream<Path> files = Files.list(directory())) {
            assertThat(files.filter(file -> file.toString().contains("state-")).count())
                    .isBetween(2L, (long) JournalStore.KEPT_VERSIONS);
        }
    }

    @Test
    void shouldLeaveOutALineThatWasCutOff() throws IOException {
        String whole;
        try (PlaneRig rig = PlaneRig.at(directory())) {
            rig.furnish();
            whole = PlaneRig.print(rig.plane.state());
            rig.done(PlaneRig.client("web1"));
        }
        Path journal = newest("journal-");
        byte[] bytes = Files.readAllBytes(journal);
        Files.write(journal, java.util.Arrays.copyOf(bytes, bytes.length - 7));
        try (PlaneRig rig = PlaneRig.at(directory())) {
            assertThat(PlaneRig.print(rig.plane.state())).isEqualTo(whole);
            rig.done(PlaneRig.client("web2"));
            whole = PlaneRig.print(rig.plane.state());
        }
        try (PlaneRig rig = PlaneRig.at(directory())) {
            assertThat(PlaneRig.print(rig.plane.state())).isEqualTo(whole);
        }
    }

    @Test
    void shouldRefuseAJournalThatIsDamagedInTheMiddle() throws IOException {
        try (PlaneRig rig = PlaneRig.at(directory())) {
            rig.furnish();
            rig.done(PlaneRig.client("web1"));
        }
        Path journal = newest("journal-");
        byte[] bytes = Files.readAllBytes(journal);
        bytes[40] ^= 1;
        Files.write(journal, bytes);
        assertThatThrownBy(() -> JournalStore.open(directory(), "test"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(journal + " is damaged at byte 0")
                .hasMessageContaining("restore");
    }

    @Test
    void shouldGoBackToTheStateBeforeADamagedOne() throws IOException {
        String before;
        try (PlaneRig rig = PlaneRig.at(directory())) {
            rig.furnish();
            for (int i = 0; i < 150; i++) {
                rig.done(PlaneRig.client("web" + i));
            }
            before = PlaneRig.print(rig.plane.state());
        }
        Path state = newest("state-");
        assertThat(state.toString()).doesNotEndWith("000000000000");
        Files.write(state, new byte[] {'x'}, StandardOpenOption.TRUNCATE_EXISTING);
        try (PlaneRig rig = PlaneRig.at(directory())) {
            assertThat(PlaneRig.print(rig.plane.state())).isEqualTo(before);
        }
    }

    @Test
    void shouldRefuseAFormatThatANewerVersionWrote() throws IOException {
        PlaneRig.at(directory()).close();
        java.io.ByteArrayOutputStream newer = new java.io.ByteArrayOutputStream();
        CheckedLines.append(
                newer, "{\"format\":2,\"holdfast\":\"9.0\",\"version\":0}".getBytes(StandardCharsets.UTF_8));
        Files.write(newest("state-"), newer.toByteArray());
        assertThatThrownBy(() -> JournalStore.open(directory(), "test"))
                .hasMessageContaining("has format 2, written by Holdfast 9.0")
                .hasMessageContaining("start the newer one");
    }

    @Test
    void shouldRefuseToGoOnWithoutAFileInBetween() throws IOException {
        try (PlaneRig rig = PlaneRig.at(directory())) {
            rig.furnish();
            for (int i = 0; i < 150; i++) {
                rig.done(PlaneRig.client("web" + i));
            }
        }
        Files.delete(newest("state-"));
        Files.delete(directory().resolve("journal-000000000000"));
        assertThatThrownBy(() -> JournalStore.open(directory(), "test"))
                .hasMessageContaining("a file between them is missing");
    }

    @Test
    void shouldLetNobodyElseReadTheSecrets() throws IOException {
        try (PlaneRig rig = PlaneRig.at(directory())) {
            rig.furnish();
            rig.done(new OperatorCommand.AddClient("web1", null, null, null, "twelve bytes or more", false));
        }
        assertThat(Files.getPosixFilePermissions(directory())).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        try (Stream<Path> files = Files.list(directory())) {
            for (Path file : (Iterable<Path>) files::iterator) {
                assertThat(Files.getPosixFilePermissions(file))
                        .as("%s", file)
                        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
            }
        }
    }

    @Test
    void shouldRememberWhoChangedWhat() throws IOException {
        try (PlaneRig rig = PlaneRig.at(directory())) {
            rig.furnish();
            rig.done(PlaneRig.lu("root1", GIB));
        }
        try (PlaneRig rig = PlaneRig.at(directory())) {
            List<Row.AuditRow> audit = rig.rows(new OperatorQuery.Audit(1));
            assertThat(audit).hasSize(1);
            assertThat(audit.get(0).by()).isEqualTo("root");
            assertThat(audit.get(0).what()).isEqualTo("lu create");
        }
    }

    private Path newest(String prefix) throws IOException {
        List<Path> all = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory())) {
            files.filter(file -> String.valueOf(file.getFileName()).startsWith(prefix))
                    .sorted()
                    .forEach(all::add);
        }
        return all.get(all.size() - 1);
    }
}
