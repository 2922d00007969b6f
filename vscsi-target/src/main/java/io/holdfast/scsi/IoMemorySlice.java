package io.holdfast.scsi;

import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;

/** The first bytes of a memory, for data that is longer than its command. */
record IoMemorySlice(IoMemory whole, int length) implements IoMemory {

    /** {@code memory} itself if it has that length already. */
    static IoMemory first(IoMemory memory, int lengthBytes) {
        return memory.length() == lengthBytes ? memory : new IoMemorySlice(memory, lengthBytes);
    }

    IoMemorySlice {
        if (length < 0 || length > whole.length()) {
            throw new IllegalArgumentException(length + " bytes of " + whole.length());
        }
    }

    @Override
    public long address() {
        return whole.address();
    }

    @Override
    public ByteBuffer buffer() {
        return whole.buffer().slice(0, length);
    }
}
