package io.holdfast.iscsi;

import io.holdfast.block.FileOptions;

/** What fits goes past the page cache on the ring, the rest by the pool. */
class RingLaneDirectTest extends RingLaneTest {

    @Override
    protected FileOptions with(FileOptions options) {
        return options.withDirect();
    }
}
