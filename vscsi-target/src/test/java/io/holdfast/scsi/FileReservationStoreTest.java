package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.holdfast.scsi.PersistentReservations.Reservation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileReservationStoreTest {
    private static final UUID UNIT = Initiator.UNIT_UUID;
    private static final NexusName A = new NexusName("iqn.a,i,0x000000000001", 1);
    private static final NexusName B = new NexusName("iqn.b:with,odd=näme,i,0x000000000002", 65_535);

    @TempDir
    Path dir;

    @Test
    void shouldFindWhatWasCommitted() throws IOException {
        for (ReservationType type : ReservationType.values()) {
            Map<NexusName, Long> registrations = new LinkedHashMap<>();
            registrations.put(B, -1L);
            registrations.put(A, 1L);
            PersistentReservations present =
                    new PersistentReservations(-2, true, registrations, Reservation.by(B, type));
            FileReservationStore store = FileReservationStore.open(dir, UNIT);
            assertThat(store.commit(store.current(), present)).isEqualTo(present);

            PersistentReservations found = FileReservationStore.open(dir, UNIT).current();
            assertThat(found).isEqualTo(present);
            assertThat(found.registrations().keySet()).as("in order").containsExactly(B, A);
        }
    }

    @Test
    void shouldBeginWithNothingAndMakeItsDirectoryWithTheFirstChange() throws IOException {
        Path missing = dir.resolve("a").resolve("b");
        assertThat(FileReservationStore.units(missing)).isEmpty();
        FileReservationStore store = FileReservationStore.open(missing, UNIT);
        assertThat(store.current()).isEqualTo(PersistentReservations.NONE);
        store.commit(PersistentReservations.NONE, registered(A, 1));
        assertThat(FileReservationStore.open(missing, UNIT).current()).isEqualTo(registered(A, 1));
    }

    @Test
    void shouldListTheUnitsOfWhichItKeepsReservations() throws IOException {
        UUID other = new UUID(1, 2);
        FileReservationStore.open(dir, UNIT).commit(PersistentReservations.NONE, registered(A, 1));
        FileReservationStore.fresh(dir, other).commit(PersistentReservations.NONE, registered(B, 2));
        // What an interrupted change may leave, and what is none of ours.
        Files.writeString(dir.resolve(new UUID(3, 4) + ".reservations.new"), "");
        Files.writeString(dir.resolve("notes.reservations"), "");
        assertThat(FileReservationStore.units(dir)).containsExactlyInAnyOrder(UNIT, other);
        assertThat(FileReservationStore.open(dir, other).current()).isEqualTo(registered(B, 2));
    }

    @Test
    void shouldTellWhoeverExpectsSomethingElseWhatThereIs() throws IOException {
        FileReservationStore store = FileReservationStore.open(dir, UNIT);
        PersistentReservations first = registered(A, 1);
        store.commit(PersistentReservations.NONE, first);

        assertThat(store.commit(PersistentReservations.NONE, registered(B, 2))).isEqualTo(first);
        assertThat(FileReservationStore.open(dir, UNIT).current()).isEqualTo(first);
    }

    @Test
    void shouldNotBelieveAFileThatIsTornAnywhere() throws IOException {
        FileReservationStore.open(dir, UNIT).commit(PersistentReservations.NONE, registered(A, 1));
        Path file = onlyFile();
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            refuses(file);
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 4096));
        refuses(file);
    }

    @Test
    void shouldNotBelieveAFileOfWhichABitHasFlipped() throws IOException {
        FileReservationStore.open(dir, UNIT).commit(PersistentReservations.NONE, registered(A, 1));
        Path file = onlyFile();
        byte[] whole = Files.readAllBytes(file);
        Random random = new Random(3);
        for (int i = 0; i < 500; i++) {
            byte[] bad = whole.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, bad);
            refuses(file);
        }
    }

    @Test
    void shouldRefuseAnotherLogicalUnitsReservations() throws IOException {
        UUID other = new UUID(1, 2);
        FileReservationStore.open(dir, other).commit(PersistentReservations.NONE, registered(A, 1));
        Path file = dir.resolve(UNIT + ".reservations");
        Files.move(onlyFile(), file);

        assertThatIOException()
                .isThrownBy(() -> FileReservationStore.open(dir, UNIT))
                .withMessageContaining(file.toString())
                .withMessageContaining("it is of logical unit " + other);
    }

    @Test
    void shouldRefuseWhatCannotHaveBeenCommitted() throws IOException {
        Path file = dir.resolve(UNIT + ".reservations");
        for (String line : new String[] {
            "reservation EXCLUSIVE_ACCESS 1 iqn.a,i,0x000000000001",
            "reservation WRITE_EXCLUSIVE_ALL_REGISTRANTS *",
            "registration 0x0 1 iqn.a",
            "registration 0x1 0 iqn.a",
            "registration 0x1",
            "something else"
        }) {
            String text = "holdfast-reservations 1\nunit " + UNIT + "\n" + line + "\n";
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            crc.update(text.getBytes(StandardCharsets.UTF_8));
            Files.writeString(file, text + String.format("crc32c %08x%n", crc.getValue()));
            refuses(file);
        }
        Files.writeString(file, "x".repeat(2 << 20));
        refuses(file);
    }

    private void refuses(Path file) {
        assertThatIOException()
                .isThrownBy(() -> FileReservationStore.open(dir, UNIT))
                .withMessageContaining(file.toString())
                .withMessageContaining("restore it, or remove it");
    }

    private Path onlyFile() throws IOException {
        try (var files = Files.list(dir)) {
            return files.findFirst().orElseThrow();
        }
    }

    static PersistentReservations registered(NexusName nexus, long key) {
        return new PersistentReservations(1, false, Map.of(nexus, key), null);
    }
}
