package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InlineWritesTest {
    private final InlineWrites writes = new InlineWrites();

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 1_000_000, -5})
    void shouldSendWritesToThePoolForAWhileAfterASlowOne(long startNs) {
        assertThat(writes.allows(4096, startNs)).isTrue();
        long endNs = startNs + InlineWrites.SLOW_NS + 1;
        writes.took(startNs, endNs);
        assertThat(writes.allows(4096, endNs)).isFalse();
        assertThat(writes.allows(4096, endNs + InlineWrites.PAUSE_NS - 1)).isFalse();
        assertThat(writes.allows(4096, endNs + InlineWrites.PAUSE_NS)).isTrue();
        assertThat(writes.allows(4096, endNs + InlineWrites.PAUSE_NS + 1)).isTrue();
    }

    @Test
    void shouldStayInlineWhileWritesAreQuick() {
        writes.took(0, InlineWrites.SLOW_NS);
        assertThat(writes.allows(4096, InlineWrites.SLOW_NS)).isTrue();
    }

    @Test
    void shouldNeverCopyMuchOnTheLoop() {
        assertThat(writes.allows(InlineWrites.MAX_INLINE_BYTES, 0)).isTrue();
        assertThat(writes.allows(InlineWrites.MAX_INLINE_BYTES + 1, 0)).isFalse();
    }
}
