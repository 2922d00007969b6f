package io.holdfast.iscsi.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** CRC-32C of a data segment. */
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DigestBenchmark {
    @Param({"48", "4096", "262144"})
    public int bytes;

    private ByteBuf data = io.netty.buffer.Unpooled.EMPTY_BUFFER;

    @Setup(Level.Trial)
    public void fill() {
        data = PooledByteBufAllocator.DEFAULT.directBuffer(bytes).writeZero(bytes);
    }

    @TearDown(Level.Trial)
    public void release() {
        data.release();
    }

    @Benchmark
    public int crc32c() {
        return Digest.crc32c(data, 0, bytes);
    }
}
