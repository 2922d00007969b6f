package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InlineWritesTest {
    private final InlineWrites writes = new InlineWrites();

    /** {@link System#nanoTime} may be negative, and may pass the largest number. */
    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 1_000_000, -5})
    void shouldSendWritesToThePoolForAWhileAfterOneThatWaited(long nowNs) {
        assertThat(writes.allows(4096, nowNs)).isTrue();
        writes.waited(nowNs);
        assertThat(writes.allows(4096, nowNs)).isFalse();
        writes.slow(nowNs);
        assertThat(writes.allows(4096, nowNs + InlineWrites.PAUSE_NS - 1)).isFalse();
        assertThat(writes.allows(4096, nowNs + InlineWrites.PAUSE_NS)).isTrue();
        assertThat(writes.watching(nowNs + InlineWrites.PAUSE_NS + 1))
                .as("the next slow one is judged at once")
                .isTrue();
    }

    @Test
    void shouldOnlyWatchWritesAfterOneThatWasSlow() {
        assertThat(writes.watching(0)).isFalse();
        writes.slow(0);
        assertThat(writes.allows(4096, 0)).isTrue();
        assertThat(writes.watching(InlineWrites.WATCH_NS - 1)).isTrue();
        assertThat(writes.watching(InlineWrites.WATCH_NS)).isFalse();
    }

    @Test
    void shouldTakeAWriteForSlowWhenItTookLongerThanTheLimit() {
        assertThat(InlineWrites.isSlow(-1, InlineWrites.SLOW_NS - 1)).isFalse();
        assertThat(InlineWrites.isSlow(-1, InlineWrites.SLOW_NS)).isTrue();
    }

    @Test
    void shouldNeverCopyMuchOnTheLoop() {
        assertThat(writes.allows(InlineWrites.MAX_INLINE_BYTES, 0)).isTrue();
        assertThat(writes.allows(InlineWrites.MAX_INLINE_BYTES + 1, 0)).isFalse();
    }
}
