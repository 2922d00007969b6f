package io.holdfast.block;

/** A block device past the page cache. Needs root. */
class BlockDeviceDirectTest extends BlockDeviceTest {

    @Override
    protected FileOptions with(FileOptions options) {
        return options.withDirect();
    }
}
