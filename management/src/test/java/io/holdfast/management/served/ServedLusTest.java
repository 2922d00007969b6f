package io.holdfast.management.served;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BackendException;
import io.holdfast.block.FileBackend;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import java.nio.file.Path;
import java.util.UUID;
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

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldLetNobodyWhoLooksWaitForStorageThatIsBeingOpened() throws Exception {
        LuBacking lu = new LuBacking(
                "web1", dir.resolve("web1.img"), null, new UUID(1, 2), 1 << 20, 512, false, false, false, 1);
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
