package io.holdfast.scsi;

import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;

/** Memory of the size that was asked for. */
final class TestMemory implements IoMemory {
    private final ByteBuffer bytes;

    TestMemory(byte[] content) {
        bytes = ByteBuffer.allocateDirect(content.length);
        bytes.put(content).clear();
    }

    @Override
    public long address() {
        return 0;
    }

    @Override
    public int length() {
        return bytes.capacity();
    }

    @Override
    public ByteBuffer buffer() {
        return bytes.clear();
    }
}
