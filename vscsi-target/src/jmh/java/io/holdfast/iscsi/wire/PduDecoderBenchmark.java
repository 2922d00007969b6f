package io.holdfast.iscsi.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to take one PDU out of what a socket has brought: a batch of 32 SCSI Commands, with and without data. */
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PduDecoderBenchmark {
    private static final int BATCH = 32;
    private static final int LIMIT = 262_144;

    /** Immediate data of each command. */
    @Param({"0", "4096"})
    public int dataBytes;

    @Param({"NONE", "CRC32C"})
    public Digest digest = Digest.NONE;

    private final PduDecoder decoder = new PduDecoder(LIMIT);
    private final ByteBuf batch = PooledByteBufAllocator.DEFAULT.directBuffer();
    private final ByteBuf target = PooledByteBufAllocator.DEFAULT.directBuffer(LIMIT, LIMIT);
    private int received;

    private final PduDecoder.Receiver receiver = new PduDecoder.Receiver() {
        @Override
        public @Nullable ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
            return target.clear();
        }

        @Override
        public void pduReceived(BasicHeader header, ByteBuf data) {
            received += header.initiatorTaskTag();
        }

        @Override
        public void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException {
            throw new WireException("wrong digest");
        }
    };

    @Setup(Level.Trial)
    public void encode() {
        decoder.digests(digest, digest);
        PduEncoder encoder = new PduEncoder();
        encoder.digests(digest, digest);
        BasicHeader header = new BasicHeader()
                .begin(Opcode.SCSI_COMMAND, BasicHeader.FINAL)
                .initiatorTaskTag(1)
                .dataSegmentBytes(dataBytes);
        byte[] data = new byte[dataBytes];
        for (int i = 0; i < BATCH; i++) {
            encoder.writePdu(header, data, data.length, batch);
        }
    }

    @TearDown(Level.Trial)
    public void release() {
        batch.release();
        target.release();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int decode() throws WireException {
        batch.readerIndex(0);
        decoder.decode(batch, receiver);
        return received;
    }
}
