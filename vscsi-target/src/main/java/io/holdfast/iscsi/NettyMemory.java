package io.holdfast.iscsi;

import io.holdfast.block.IoMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;

/** A stretch of a direct Netty buffer as the backends see it. Re-used from task to task. */
final class NettyMemory implements IoMemory {
    private ByteBuf buffer = Unpooled.EMPTY_BUFFER;
    private int offset;
    private int length;

    NettyMemory of(ByteBuf newBuffer, int newOffset, int newLength) {
        buffer = newBuffer;
        offset = newOffset;
        length = newLength;
        return this;
    }

    @Override
    public long address() {
        return buffer.memoryAddress() + offset;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public ByteBuffer buffer() {
        return buffer.nioBuffer(offset, length);
    }
}
