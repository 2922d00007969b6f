package io.holdfast.scsi;

import io.holdfast.block.Durability;
import io.holdfast.block.IoMemory;
import org.jspecify.annotations.Nullable;

/** READ, WRITE, PRE-FETCH and SYNCHRONIZE CACHE (SBC-3 §5). The hot path: nothing here allocates for a sound command. */
final class DataCommands {
    private static final int FUA = 0x08;
    private static final int PRE_FETCH_IMMED = 0x02;

    // Non-capturing, so each is one object for ever.
    private static final Execution.Step READ = DataCommands::readNow;
    private static final Execution.Step FLUSH_AND_READ = DataCommands::flushAndRead;
    private static final Execution.Step WRITE = DataCommands::writeNow;
    private static final Execution.Step WRITE_REST = DataCommands::writeRestNow;
    private static final Execution.Step WROTE_REST = DataCommands::wroteRest;
    private static final Execution.Step PRE_FETCH = DataCommands::prefetchNow;
    private static final Execution.Step DROP_DATA = DataCommands::dropData;

    private DataCommands() {}

    /**
     * READ. FUA asks for the blocks as they are on the medium, and has the cache write back first what is newer there
     * (SBC-3 §4.15, table 5): so cached data may be returned once a flush has made it the medium's. An initiator that
     * reads with FUA what another one wrote may rely on it as on its own flush.
     */
    static void read(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        if (!takeRange(unit, command, task, Limits.MAX_TRANSFER_BYTES)) {
            return;
        }
        if (execution.remaining == 0) {
            execution.good();
        } else if (forcesUnitAccess(command, task.cdb())) {
            execution.share(FLUSH_AND_READ);
        } else {
            execution.share(READ);
        }
    }

    private static void flushAndRead(LogicalUnit unit, ScsiTask task) {
        unit.backend().flush(task.lane(), task.execution().then(READ));
    }

    private static void readNow(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory into = task.allocateDataIn((int) execution.remaining);
        unit.backend().read(execution.offset, into, task.lane(), execution.thenGood());
    }

    /** WRITE. Durable before the answer if FUA asks for it, or if the write cache is off (WCE=0). */
    static void write(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        if (!takeRange(unit, command, task, Limits.MAX_TRANSFER_BYTES)) {
            return;
        }
        execution.durability = durability(unit, command, task);
        if (task.dataOutTaken() > 0) {
            writeRest(unit, task);
            return;
        }
        IoMemory from = takeWholeBlocks(unit, task);
        if (from != null) {
            execution.data = from;
            execution.share(WRITE);
        }
    }

    /**
     * Writes data of a WRITE that is not whole yet, if they can be written without waiting: what is written then is in the
     * page cache while it is still in the processor's, and needs no memory of its own. Only whole physical blocks, so that no
     * reader finds one half written, and only if the initiator sends all that its CDB asks for.
     *
     * <p>What it cannot do is left to {@link #write}: that also finds the storage full, and says so.
     *
     * @return how many bytes have been written
     */
    static int writeEarly(LogicalUnit unit, ScsiCommand command, ScsiTask task, IoMemory data, int lengthBytes) {
        byte[] cdb = task.cdb();
        int shift = unit.blockShift();
        long lba = Cdb.lba(cdb, command.cdbLength());
        long blocks = Cdb.lengthBlocks(cdb, command.cdbLength());
        long capacity = unit.blocks();
        if (lba < 0 || lba > capacity || blocks > capacity - lba || blocks > Limits.MAX_TRANSFER_BYTES >> shift) {
            return 0;
        }
        long end = lba + blocks << shift;
        long from = (lba << shift) + task.dataOutTaken();
        if (task.dataOutExpected() != blocks << shift || lengthBytes > end - from) {
            return 0;
        }
        long physicalBlock = 1L << shift + unit.blocksPerPhysicalExponent();
        long to = from + lengthBytes == end ? end : from + lengthBytes & -physicalBlock;
        Execution execution = task.execution();
        if (to <= from || !execution.enterNow(unit)) {
            return 0;
        }
        try {
            return unit.backend().writeNow(from, data, (int) (to - from), task.lane());
        } finally {
            execution.leaveAgain(unit);
        }
    }

    /** The end of a WRITE whose first data have been written when they came; perhaps all of them. */
    private static void writeRest(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        task.dataOutWanted(execution.remaining);
        execution.offset += task.dataOutTaken();
        execution.remaining -= task.dataOutTaken();
        IoMemory rest = task.dataOut();
        execution.data = rest;
        if (execution.remaining != (rest == null ? 0 : rest.length())) {
            execution.fail(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        } else if (rest != null) {
            execution.share(WRITE_REST);
        } else {
            wroteRest(unit, task);
        }
    }

    private static void writeRestNow(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory rest = execution.data;
        if (rest != null) {
            unit.backend().write(execution.offset, rest, Durability.CACHED, task.lane(), execution.then(WROTE_REST));
        }
    }

    /** A durable write of the rest would make the rest durable, and not what came before it. */
    private static void wroteRest(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        if (execution.durability == Durability.DURABLE) {
            unit.backend().flush(task.lane(), execution.thenGood());
        } else {
            unit.succeeded();
            execution.good();
        }
    }

    static void writeNow(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory from = execution.data;
        if (from != null) {
            unit.backend().write(execution.offset, from, execution.durability, task.lane(), execution.thenGood());
        }
    }

    /** What the acknowledgement of a write promises. */
    static Durability durability(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        boolean durable = forcesUnitAccess(command, task.cdb()) || !unit.modes().writeCache();
        return durable ? Durability.DURABLE : Durability.CACHED;
    }

    /** The data of a command that cannot do with less: null if it has not come, and the task has been completed. */
    static @Nullable IoMemory takeAll(ScsiTask task, long wanted) {
        task.dataOutWanted(wanted);
        IoMemory sent = task.dataOut();
        if (sent == null || sent.length() < wanted) {
            task.execution().fail(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
            return null;
        }
        return IoMemorySlice.first(sent, (int) wanted);
    }

    /**
     * The data of a write: as many whole blocks as the CDB asks for and the initiator sent, see {@link LogicalUnit}.
     *
     * @return null if there is nothing to write: the task has been completed
     */
    static @Nullable IoMemory takeWholeBlocks(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        long wanted = execution.remaining;
        task.dataOutWanted(wanted);
        IoMemory sent = task.dataOut();
        long length = Math.min(wanted, sent == null ? 0 : sent.length());
        if ((length & unit.blockBytes() - 1) != 0) {
            execution.fail(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
            return null;
        }
        if (sent == null || length == 0) {
            execution.good();
            return null;
        }
        execution.remaining = length;
        return IoMemorySlice.first(sent, (int) length);
    }

    /**
     * PRE-FETCH: reads the blocks into the page cache and forgets them. Always GOOD, never CONDITION MET: that would
     * promise that the cache has room for all of them, and the page cache is the host's, not ours (SBC-3 §5.8).
     */
    static void prefetch(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        if (!takeRange(unit, command, task, Limits.MAX_TRANSFER_BYTES)) {
            return;
        }
        // Length 0 means all blocks to the end: no cache takes that, so nothing is promised and nothing done.
        if ((task.cdb()[1] & PRE_FETCH_IMMED) != 0 || execution.remaining == 0) {
            execution.good();
            return;
        }
        execution.share(PRE_FETCH);
    }

    private static void prefetchNow(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory scratch = task.allocateDataIn((int) execution.remaining);
        unit.backend().read(execution.offset, scratch, task.lane(), execution.then(DROP_DATA));
    }

    /** Completes a task whose Data-In was only scratch memory. */
    static void dropData(LogicalUnit unit, ScsiTask task) {
        task.dataInLength(0);
        task.execution().good();
    }

    /**
     * SYNCHRONIZE CACHE: the whole cache, whatever the range. IMMED allows an answer before the flush; it comes after
     * it all the same, because a failure could then only be told as a deferred error, to an initiator that has already
     * taken the data for safe.
     */
    static void synchronizeCache(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        if (takeRange(unit, command, task, Long.MAX_VALUE)) {
            unit.backend().flush(task.lane(), task.execution().thenGood());
        }
    }

    /**
     * Takes the blocks a CDB names into the execution, as LBA, offset and length in bytes.
     *
     * @return false if they are not all there or too many: the task has been completed
     */
    static boolean takeRange(LogicalUnit unit, ScsiCommand command, ScsiTask task, long maxBytes) {
        byte[] cdb = task.cdb();
        int cdbLength = command.cdbLength();
        return takeRange(
                unit,
                task,
                Cdb.lba(cdb, cdbLength),
                Cdb.lengthBlocks(cdb, cdbLength),
                Cdb.lengthField(cdbLength),
                maxBytes);
    }

    /** @param lengthField where the number of blocks stands in the CDB, to point at it */
    static boolean takeRange(LogicalUnit unit, ScsiTask task, long lba, long blocks, int lengthField, long maxBytes) {
        long capacity = unit.blocks();
        Execution execution = task.execution();
        // A negative LBA is one of 2^63 or more.
        if (lba < 0 || lba > capacity || blocks > capacity - lba) {
            long firstBad = lba < 0 || lba > capacity ? lba : capacity;
            execution.fail(Sense.atLba(SenseCode.LBA_OUT_OF_RANGE, firstBad));
            return false;
        }
        if (blocks > maxBytes >> unit.blockShift()) {
            execution.fail(Sense.inCdb(lengthField));
            return false;
        }
        execution.lba = lba;
        execution.offset = lba << unit.blockShift();
        execution.remaining = blocks << unit.blockShift();
        return true;
    }

    private static boolean forcesUnitAccess(ScsiCommand command, byte[] cdb) {
        // In the 6-byte CDBs this bit belongs to the LBA.
        return command.cdbLength() != 6 && (cdb[1] & FUA) != 0;
    }
}
