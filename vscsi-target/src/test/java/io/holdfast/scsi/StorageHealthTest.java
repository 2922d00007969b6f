package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockError;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StorageHealthTest {
    private static final BlockError FAILURE = new BlockError(BlockError.Kind.MEDIUM, "read 512 bytes: EIO");

    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
    private final StorageHealth health = new StorageHealth("disk", clock::get);

    @Test
    void shouldSayTheFirstFailureAndThenOnePerInterval() {
        assertThat(health.failed(FAILURE)).isTrue();
        assertThat(health.failed(FAILURE)).isFalse();
        health.succeeded();
        assertThat(health.failed(FAILURE)).isFalse();

        clock.addAndGet(StorageHealth.INTERVAL_NS);

        assertThat(health.failed(FAILURE)).isTrue();
    }

    @Test
    void shouldBeWellAgainWhenNothingHasFailedForAnInterval() {
        health.failed(FAILURE);
        health.succeeded();
        assertThat(health.troubled()).isTrue();

        clock.addAndGet(StorageHealth.INTERVAL_NS);
        assertThat(health.troubled()).as("not before something works").isTrue();
        health.succeeded();

        assertThat(health.troubled()).isFalse();
        assertThat(health.failed(FAILURE)).isTrue();
    }
}
