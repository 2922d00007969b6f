package io.holdfast.management.served;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BackendException;
import io.holdfast.block.BlockBackend;
import io.holdfast.block.FileBackend;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ServedLusTest {
    @TempDir
    private Path dir = Path.of("");

    private final CountDownLatch opens = new CountDownLatch(1);
    private final CountDownLatch goesOn = new CountDownLatch(1);

    /** Storage that hangs until the test lets it go on. */
    private FileBackend openLate(LuBacking lu) throws BackendException {
        opens.countDown();
        try {
            goesOn.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new BackendException("there is no " + lu.path());
    }

    /** Makes units, and remembers some LUs. */
    private static final class CountedUnits implements ServedLus.Units {
        final List<String> made = new CopyOnWriteArrayList<>();
        private final String remembered;

        CountedUnits(String remembered) {
            this.remembered = remembered;
        }

        @Override
        public boolean remembers(LuBacking lu) {
            return lu.name().equals(remembered);
        }

        @Override
        public LogicalUnit of(LuBacking lu, BlockBackend backend) {
            made.add(lu.name() + ", with what is kept of it");
            return LogicalUnit.builder(LogicalUnitIdentity.of(lu.uuid()), backend)
                    .build();
        }

        @Override
        public LogicalUnit fresh(LuBacking lu, BlockBackend backend) {
            LogicalUnit unit = of(lu, backend);
            made.set(made.size() - 1, lu.name());
            return unit;
        }
    }

    private LuBacking lu(String name) {
        return new LuBacking(
                name,
                dir.resolve(name + ".img"),
                null,
                UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)),
                1 << 20,
                512,
                false,
                false,
                false,
                1);
    }

    @Test
    void shouldMakeALogicalUnitWhenItIsWantedAndAtOnceWhereSomethingIsKeptOfIt() {
        CountedUnits units = new CountedUnits("db1");
        try (ServedLus served = new ServedLus(units)) {
            served.announce(lu("web1"));
            served.announce(lu("db1"));
            served.announce(lu("web2"));
            assertThat(units.made).containsExactly("db1, with what is kept of it");
            assertThat(served.names()).containsExactlyInAnyOrder("web1", "web2", "db1");
            assertThat(served.sizeBytes("web1")).isEqualTo(1 << 20);

            LogicalUnit web2 = served.unit("web2");
            assertThat(web2).isNotNull().isSameAs(served.unit("web2"));
            assertThat(served.unit("db1")).isNotNull();
            assertThat(units.made).containsExactly("db1, with what is kept of it", "web2");

            assertThat(Objects.requireNonNull(served.retire("web1")).unit()).isNull();
            assertThat(Objects.requireNonNull(served.retire("web2")).unit()).isSameAs(web2);
            served.stopSanitizing();
        }
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldLetNobodyWhoLooksWaitForStorageThatIsBeingOpened() throws Exception {
        LuBacking lu = lu("web1");
        try (ServedLus served = new ServedLus(
                (backing, backend) -> LogicalUnit.builder(LogicalUnitIdentity.of(backing.uuid()), backend)
                        .build(),
                this::openLate)) {
            served.announce(lu);
            served.openAnnounced();
            assertThat(opens.await(30, TimeUnit.SECONDS)).isTrue();
            try {
                assertThat(served.file("web1")).isNull();
                assertThat(served.files()).isEmpty();
                assertThat(served.trouble("web1")).isEmpty();
            } finally {
                goesOn.countDown();
            }
        }
    }
}
