package io.holdfast.scsi;

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
import org.openjdk.jmh.annotations.Warmup;

/** From a CDB to its status, with a backend that does nothing: table, checks, reservations, ranges, completion. */
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CommandBenchmark {
    private static final int LBA = 16;
    private static final int BLOCKS = 8;

    @Param({"READ_10", "READ_16", "WRITE_10", "WRITE_16", "TEST_UNIT_READY"})
    public ScsiCommand command = ScsiCommand.READ_10;

    private final QuietTask task = new QuietTask();
    private final LogicalUnit unit = LogicalUnit.builder(
                    LogicalUnitIdentity.of(Initiator.UNIT_UUID), new QuietBackend())
            .build();
    private byte[] cdb = new byte[6];

    @Setup(Level.Trial)
    public void hearTheFirstUnitAttention() {
        task.run(unit, new byte[6], 1);
        cdb = command == ScsiCommand.TEST_UNIT_READY
                ? CdbBuilder.cdb(command).bytes()
                : CdbBuilder.blocks(command, LBA, BLOCKS);
    }

    @Benchmark
    public ScsiStatus execute() {
        task.run(unit, cdb, 1);
        return task.status();
    }
}
