package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ImageClosingTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    @TempDir
    private Path dir;

    @Test
    void shouldGiveImagesBack() throws Exception {
        Path image = dir.resolve("disk.img");
        FileBackend backend = FileBackend.open(image, FileOptions.sized(1 << 20));
        ImageClosing closing = new ImageClosing();
        closing.begin(backend.describe(), backend::closeDurably);
        assertThat(closing.await(LONG)).isEmpty();
        FileBackend.open(image, FileOptions.READ_WRITE).close();
    }

    @Test
    void shouldNotWaitForAnImageWhoseStorageHangsAndCloseTheOthersMeanwhile() throws Exception {
        Path image = dir.resolve("disk.img");
        FileBackend backend = FileBackend.open(image, FileOptions.sized(1 << 20));
        CountDownLatch hangs = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        ImageClosing closing = new ImageClosing();
        closing.begin("hanging.img", () -> {
            try {
                hangs.await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        closing.begin(backend.describe(), () -> {
            backend.closeDurably();
            closed.countDown();
        });
        closed.await();
        assertThat(closing.await(Duration.ofMillis(1))).contains("hanging.img");
        FileBackend.open(image, FileOptions.READ_WRITE).close();
        assertThat(interrupted.getCount())
                .as("an interrupt would drop the image's lock")
                .isOne();
        hangs.countDown();
    }

    @Test
    void shouldGoOnWhenOneCannotBeClosed() {
        ImageClosing closing = new ImageClosing();
        closing.begin("broken.img", () -> {
            throw new IOException("as the test wants it");
        });
        assertThat(closing.await(LONG)).as("it has ended all the same").isEmpty();
    }
}
