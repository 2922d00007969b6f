package io.holdfast.agent.freeze;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordBatchTest {
    private static final int VMS = 400;

    @TempDir
    private Path directory;

    private final List<String> order = new ArrayList<>();

    private static FreezeRecord of(String vm) {
        return new FreezeRecord(
                vm,
                "p",
                FreezeState.FREEZING,
                "lost",
                0,
                1,
                2,
                List.of(),
                List.of(),
                1,
                false,
                List.of(),
                "",
                List.of(),
                Map.of());
    }

    @Test
    void shouldLetEachVmGoOnOnlyWhenAllRecordsAreOnDisk() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            RecordBatch batch = new RecordBatch(store);
            batch.together(() -> {
                for (int i = 0; i < VMS; i++) {
                    String vm = "vm" + i;
                    batch.save(of(vm), failure -> order.add(store.load(vm).isPresent() ? vm : "too early"));
                }
                assertThat(order)
                        .as("nobody goes on while records are gathered")
                        .isEmpty();
            });

            assertThat(order).hasSize(VMS).startsWith("vm0", "vm1").doesNotContain("too early");
        }
        try (var files = Files.list(directory)) {
            assertThat(files).as("one write, besides the lock").hasSize(2);
        }
    }

    @Test
    void shouldSaveAtOnceWhatIsNotTogether() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            RecordBatch batch = new RecordBatch(store);

            batch.save(of("a"), failure -> order.add("a"));

            assertThat(order).containsExactly("a");
            assertThat(directory.resolve("a.json")).exists();
        }
    }

    @Test
    void shouldTellEachVmWhenTheWriteFails() throws IOException {
        try (RecordStore store = RecordStore.open(directory)) {
            RecordBatch batch = new RecordBatch(store);
            // Nothing can be renamed to the name of a directory that is not empty.
            Files.createDirectories(directory.resolve("_together.json").resolve("x"));

            batch.together(() -> {
                batch.save(of("a"), failure -> order.add("a " + (failure != null)));
                batch.save(of("b"), failure -> order.add("b " + (failure != null)));
            });

            assertThat(order).containsExactly("a true", "b true");
        }
    }
}
