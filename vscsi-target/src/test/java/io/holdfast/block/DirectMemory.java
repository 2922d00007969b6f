package io.holdfast.block;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Memory for one operation of a test. */
public final class DirectMemory implements IoMemory {
    private static final int PAGE = 4096;

    private final ByteBuffer bytes;

    private DirectMemory(int length) {
        // Whole sectors are aligned as direct I/O may want it, other lengths are not: tests are to meet both.
        bytes = length % 512 == 0
                ? ByteBuffer.allocateDirect(length + 2 * PAGE)
                        .alignedSlice(PAGE)
                        .slice(0, length)
                : ByteBuffer.allocateDirect(length + 1).slice(1, length);
    }

    /** Full of 0xa5, so that what was not read shows. */
    public static DirectMemory dirty(int length) {
        byte[] junk = new byte[length];
        Arrays.fill(junk, (byte) 0xa5);
        return of(junk);
    }

    public static DirectMemory random(int length, long seed) {
        byte[] content = new byte[length];
        new Random(seed).nextBytes(content);
        return of(content);
    }

    public static DirectMemory of(byte[] content) {
        DirectMemory memory = new DirectMemory(content.length);
        memory.buffer().put(content);
        return memory;
    }

    @Override
    public long address() {
        return MemoryIO.getInstance().getDirectBufferAddress(bytes);
    }

    @Override
    public int length() {
        return bytes.capacity();
    }

    @Override
    public ByteBuffer buffer() {
        return bytes.clear();
    }

    public byte[] content() {
        byte[] content = new byte[length()];
        buffer().get(content);
        return content;
    }
}
