package io.holdfast.block;

import io.holdfast.linux.Linux;
import java.nio.ByteBuffer;

/** Memory of its own, for what outlives the command that began it. Given back by the garbage collector. */
public final class PlainMemory implements IoMemory {
    private final ByteBuffer bytes;

    /** A copy of {@code content}. */
    public PlainMemory(byte[] content) {
        bytes = ByteBuffer.allocateDirect(content.length);
        bytes.put(content).clear();
    }

    @Override
    public long address() {
        return Linux.addressOf(bytes);
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
