package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The server dies at each step of a change of its reservations, and another one takes over: what an initiator was told is
 * still so, and there is one holder.
 */
class ReservationCrashTest {
    private static final ReservationType EA = ReservationType.EXCLUSIVE_ACCESS;

    @TempDir
    Path dir;

    /** A file system that does nothing any more from a step on; that step may be done by half. */
    private static final class MortalDisk implements DurableFile.Disk {
        private final int lastStep;
        private final boolean halfOfTheNext;
        private int steps;

        MortalDisk(int lastStep, boolean halfOfTheNext) {
            this.lastStep = lastStep;
            this.halfOfTheNext = halfOfTheNext;
        }

        /** @return false if the step is done by half */
        private boolean whole() throws IOException {
            steps++;
            if (steps > lastStep + 1 || (steps == lastStep + 1 && !halfOfTheNext)) {
                throw new IOException("dead");
            }
            return steps <= lastStep;
        }

        @Override
        public void write(Path path, byte[] content) throws IOException {
            if (whole()) {
                Files.write(path, content);
            } else {
                Files.write(path, Arrays.copyOf(content, content.length / 2));
                throw new IOException("died");
            }
        }

        @Override
        public void sync(Path path) throws IOException {
            if (!whole()) {
                throw new IOException("died");
            }
            StandardOpenOption how = Files.isDirectory(path) ? StandardOpenOption.READ : StandardOpenOption.WRITE;
            try (FileChannel channel = FileChannel.open(path, how)) {
                channel.force(true);
            }
        }

        @Override
        public void delete(Path path) {
            throw new AssertionError("reservations are never deleted");
        }

        @Override
        public void rename(Path from, Path to) throws IOException {
            boolean whole = whole();
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
            if (!whole) {
                throw new IOException("died");
            }
        }
    }

    private LogicalUnit unit(DurableFile.@Nullable Disk disk) throws IOException {
        FileReservationStore store = disk == null
                ? FileReservationStore.open(dir, Initiator.UNIT_UUID)
                : FileReservationStore.open(dir, Initiator.UNIT_UUID, disk);
        return LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 16))
                .reservations(store)
                .build();
    }

    @Test
    void shouldHaveOneHolderWhereverTheServerDies() throws IOException {
        int answeredGood = 0;
        int changedUnanswered = 0;
        for (int lastStep = 0; lastStep <= 5; lastStep++) {
            for (boolean half : new boolean[] {false, true}) {
                LogicalUnit before = unit(null);
                Reserver a = Reserver.at(before, "iqn.a", 1);
                a.registerAndIgnore(5, 0).isGood();
                Reserver b = Reserver.at(before, "iqn.b", 1);
                b.registerAndIgnore(6, 0).isGood();
                a.reserve(5, EA).isGood();

                LogicalUnit dying = unit(new MortalDisk(lastStep, half));
                ScsiStatus answer =
                        Reserver.at(dying, "iqn.b", 1).preempt(6, 5, EA).status();

                LogicalUnit after = unit(null);
                Reserver aAgain = Reserver.at(after, "iqn.a", 1);
                Reserver bAgain = Reserver.at(after, "iqn.b", 1);
                boolean aWrites = aAgain.write() == ScsiStatus.GOOD;
                boolean bWrites = bAgain.write() == ScsiStatus.GOOD;
                assertThat(aWrites)
                        .as("died after step %d, half %s", lastStep, half)
                        .isNotEqualTo(bWrites);
                if (answer == ScsiStatus.GOOD) {
                    answeredGood++;
                    assertThat(bWrites).as("b was told so").isTrue();
                } else if (bWrites) {
                    changedUnanswered++;
                }
                bAgain.clear(6).status();
                aAgain.clear(5).status();
            }
        }
        assertThat(answeredGood)
                .as("all four steps were done in this many runs")
                .isEqualTo(4);
        assertThat(changedUnanswered).as("died behind the rename").isPositive();
    }

    @Test
    void shouldGoOnAsBeforeWhenAChangeCannotBeKept() throws IOException {
        LogicalUnit healthy = unit(null);
        Reserver.at(healthy, "iqn.a", 1).register(0, 5).isGood();
        LogicalUnit unit = unit(new MortalDisk(0, false));
        Reserver a = Reserver.at(unit, "iqn.a", 1);

        a.reserve(5, EA).failsWith(SenseCode.INTERNAL_TARGET_FAILURE);

        assertThat(a.reservation()).isEmpty();
        assertThat(Reserver.at(unit, "iqn.b", 1).write()).isEqualTo(ScsiStatus.GOOD);
        a.reserve(5, EA).failsWith(SenseCode.INTERNAL_TARGET_FAILURE);
    }

    @Test
    void shouldPersistRegistrationsWhetherAskedToOrNot() throws IOException {
        Reserver a = Reserver.at(unit(null), "iqn.a", 1);
        a.register(0, 5, Reserver.APTPL).isGood();
        assertThat(capabilities(a)).as("PTPL_C, PTPL_A").isEqualTo("1 1");
        a.register(5, 5).isGood();
        assertThat(capabilities(a)).isEqualTo("1 0");

        Reserver again = Reserver.at(unit(null), "iqn.a", 1);
        assertThat(again.keys()).containsExactly(5L);
        assertThat(again.generation()).isEqualTo(2);
        assertThat(capabilities(again)).isEqualTo("1 0");
    }

    private static String capabilities(Reserver who) {
        Answer answer = who.in(ScsiCommand.PERSISTENT_RESERVE_IN_REPORT_CAPABILITIES);
        return (answer.u8(2) & 1) + " " + (answer.u8(3) & 1);
    }
}
