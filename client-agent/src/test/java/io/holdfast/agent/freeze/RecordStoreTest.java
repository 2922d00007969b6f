package io.holdfast.agent.freeze;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.control.ExportedUnit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordStoreTest {
    private static final FreezeRecord RECORD = new FreezeRecord(
            "web1",
            "127.0.0.1:3270",
            FreezeState.FROZEN,
            "server lost: connection closed",
            0,
            4711,
            12,
            List.of("iqn.2026-11.io.holdfast:disk"),
            List.of(new ExportedUnit("iqn.2026-11.io.holdfast:disk", 0, "uuid", 1 << 30, false)),
            2,
            true,
            List.of("a"),
            "",
            List.of("storage-full=leave"),
            Map.of("a", List.of("server-crash=leave")));

    @TempDir
    private Path directory;

    @Test
    void shouldGiveBackWhatWasSavedWithItsDate() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.save(RECORD);
            FreezeRecord loaded = store.load("web1").orElseThrow();
            assertThat(loaded)
                    .usingRecursiveComparison()
                    .ignoringFields("sinceEpochMs")
                    .isEqualTo(RECORD);
            assertThat(loaded.sinceEpochMs()).isPositive();
            assertThat(loaded.pausedByUs()).isTrue();
        }
    }

    @Test
    void shouldKnowNothingOfAVmWithoutARecord() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            assertThat(store.load("web1")).isEmpty();
        }
    }

    @Test
    void shouldRefuseATornRecordAtEveryLengthAndMoveItAside() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.save(RECORD);
            byte[] whole = Files.readAllBytes(file());
            for (int length = 0; length < whole.length - 1; length += 7) {
                Files.write(file(), Arrays.copyOf(whole, length));

                assertThat(store.load("web1")).as("cut to %d bytes", length).isEmpty();

                assertThat(file()).doesNotExist();
                assertThat(directory.resolve("web1.json.refused")).hasSize(length);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "[]", "42", "{}", "{\"vm\":\"web1\"}", "{\"vm\":\"web1\",\"state\":\"MELTING\"}"})
    void shouldRefuseGarbage(String text) throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            Files.writeString(file(), text);
            assertThat(store.load("web1")).isEmpty();
            assertThat(directory.resolve("web1.json.refused")).exists();
        }
    }

    @Test
    void shouldRefuseTheRecordOfAnotherVm() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.save(RECORD);
            Files.move(file(), directory.resolve("web2.json"));
            assertThat(store.load("web2")).isEmpty();
        }
    }

    @Test
    void shouldReadRecordsOfLaterVersions() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.save(RECORD);
            String text = Files.readString(file(), StandardCharsets.UTF_8);
            Files.writeString(file(), text.replaceFirst("\\{", "{\"colour\" : \"blue\","));
            assertThat(store.load("web1")).isPresent();
        }
    }

    @Test
    void shouldRefuseADirectoryThatAnotherAgentUses() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            assertThat(store.load("web1")).isEmpty();
            assertThatThrownBy(() -> RecordStore.open(directory))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another agent uses it")
                    .hasMessageContaining("--state of its own");
        }
    }

    @Test
    void shouldMakeADirectoryThatOnlyItsOwnerReads() throws IOException {
        Path fresh = directory.resolve("a").resolve("b");
        try (RecordStore store = RecordStore.open(fresh)) {
            assertThat(store.load("web1")).isEmpty();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(fresh)))
                    .isEqualTo("rwx------");
        }
    }

    private Path file() {
        return directory.resolve("web1.json");
    }

    @Test
    void shouldSayWhyItsDirectoryCannotBeMade() {
        assertThatThrownBy(() -> RecordStore.open(Path.of("/proc/holdfast")))
                .hasMessage("it cannot be made: no such file or directory");
    }

    // ------------------------------------------------------------------ several at once

    private static FreezeRecord of(String vm, FreezeState state) {
        return new FreezeRecord(
                vm, "p", state, "why", 0, 1, 2, List.of(), List.of(), 1, false, List.of(), "", List.of(), Map.of());
    }

    @Test
    void shouldGiveBackRecordsThatWereSavedTogether() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.save(of("a", FreezeState.RUNNING));
            store.saveTogether(List.of(of("a", FreezeState.FREEZING), of("b", FreezeState.FREEZING)));
        }
        try (RecordStore store = RecordStore.open(directory)) {
            assertThat(store.load("a")).map(FreezeRecord::state).contains(FreezeState.FREEZING);
            assertThat(store.load("b")).map(FreezeRecord::state).contains(FreezeState.FREEZING);
            assertThat(store.load("c")).isEmpty();
        }
    }

    @Test
    void shouldBelieveTheLaterOfTwoRecords() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.saveTogether(List.of(of("a", FreezeState.FREEZING), of("b", FreezeState.FREEZING)));
            store.save(of("a", FreezeState.RUNNING));
        }
        try (RecordStore store = RecordStore.open(directory)) {
            assertThat(store.load("a")).map(FreezeRecord::state).contains(FreezeState.RUNNING);
            assertThat(store.load("b")).map(FreezeRecord::state).contains(FreezeState.FREEZING);
        }
    }

    @Test
    void shouldKeepWhatAnEarlierWriteHeldOfOtherVms() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.saveTogether(List.of(of("a", FreezeState.FREEZING), of("b", FreezeState.FREEZING)));
        }
        try (RecordStore store = RecordStore.open(directory)) {
            store.saveTogether(List.of(of("c", FreezeState.FREEZING), of("d", FreezeState.FREEZING)));
        }
        try (RecordStore store = RecordStore.open(directory)) {
            assertThat(store.load("a")).map(FreezeRecord::state).contains(FreezeState.FREEZING);
            assertThat(store.load("d")).map(FreezeRecord::state).contains(FreezeState.FREEZING);
        }
    }

    @Test
    void shouldShowTheRecordsBesideDamagedOnes() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.save(of("a", FreezeState.FROZEN));
            store.save(of("c", FreezeState.FROZEN));
        }
        for (String vm : List.of("0", "b", "d")) {
            Files.writeString(directory.resolve(vm + ".json"), "{\"vm\": ");
        }
        Files.writeString(directory.resolve("e.json"), "null");
        assertThat(RecordStore.peek(directory)).extracting(FreezeRecord::vm).containsExactly("a", "c");
    }

    @Test
    void shouldFallBackOnTheOwnRecordsWhenTheCommonFileIsTorn() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            store.save(of("a", FreezeState.RUNNING));
            store.saveTogether(List.of(of("a", FreezeState.FREEZING), of("b", FreezeState.FREEZING)));
        }
        Path common = directory.resolve("_together.json");
        byte[] whole = Files.readAllBytes(common);
        Files.write(common, Arrays.copyOf(whole, whole.length / 2));
        try (RecordStore store = RecordStore.open(directory)) {
            assertThat(store.load("a")).map(FreezeRecord::state).contains(FreezeState.RUNNING);
            assertThat(store.load("b")).isEmpty();
            assertThat(directory.resolve("_together.json.refused")).exists();
        }
    }
}
