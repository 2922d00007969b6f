package io.holdfast.scsi;

import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;

/** A part of a memory, for data that is longer than what is done with it at once. */
record IoMemorySlice(IoMemory whole, int start, int length) implements IoMemory {

    /** {@code memory} itself if it has that length already. */
    static IoMemory first(IoMemory memory, int lengthBytes) {
        return memory.length() == lengthBytes ? memory : new IoMemorySlice(memory, 0, lengthBytes);
    }

    IoMemorySlice {
        if (start < 0 || length < 0 || length > whole.length() - start) {
            throw new IllegalArgumentException(length + " bytes from " + start + " of " + whole.length());
        }
    }

    @Override
    public long address() {
        return whole.address() + start;
    }

    @Override
    public ByteBuffer buffer() {
        return whole.buffer().slice(start, length);
    }
}
