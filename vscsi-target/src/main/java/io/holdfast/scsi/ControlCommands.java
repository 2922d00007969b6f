package io.holdfast.scsi;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** The commands that neither read nor change data, but for the larger ones that have a file of their own. */
final class ControlCommands {
    private static final int DESCRIPTOR_SENSE = 0x01;
    private static final int MAX_SENSE_ALLOCATION_BYTES = 252;

    private static final int THIN = 0x80;
    private static final int READS_ZEROES = 0x40;

    private static final int ONLY_WELL_KNOWN = 1;
    private static final int LAST_SELECT_REPORT = 2;

    private ControlCommands() {}

    /** TEST UNIT READY (SPC-4 §6.47). */
    static void testUnitReady(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        if (unit.blocks() == 0) {
            task.execution().fail(SenseCode.BACKEND_UNREACHABLE);
        } else {
            task.execution().good();
        }
    }

    /** REQUEST SENSE (SPC-4 §6.39): the pending unit attention, which is heard by it, or what keeps commands out here. */
    static void requestSense(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        SenseCode attention = unit.nextAttention(task.nexus());
        Sense sanitizing = unit.sanitizer().complaint();
        AccessState state = unit.portGroups().at(task.nexus().relativeTargetPort());
        if (attention != null) {
            answerSense(task, attention);
        } else if (sanitizing != null) {
            answerSense(task, sanitizing);
        } else if (state.reach() != Reach.ALL) {
            answerSense(task, state.complaint());
        } else {
            answerSense(task, unit.mediumPresent() ? SenseCode.NO_SENSE : SenseCode.MEDIUM_NOT_PRESENT);
        }
    }

    static void answerSense(ScsiTask task, SenseCode code) {
        answerSense(task, Sense.of(code));
    }

    private static void answerSense(ScsiTask task, Sense what) {
        byte[] cdb = task.cdb();
        boolean descriptors = (cdb[1] & DESCRIPTOR_SENSE) != 0;
        byte[] sense = new byte[ScsiTask.SENSE_BYTES];
        int length = what.encode(sense, descriptors ? Sense.Format.DESCRIPTOR : Sense.Format.FIXED);
        byte[] answer = Arrays.copyOf(sense, length);
        task.execution().reply(answer, Math.min(Cdb.u8(cdb, 4), MAX_SENSE_ALLOCATION_BYTES));
    }

    static void reportLuns(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        answerLuns(task);
    }

    /** REPORT LUNS (SPC-4 §6.33). There are no well known logical units. */
    static void answerLuns(ScsiTask task) {
        byte[] cdb = task.cdb();
        int select = Cdb.u8(cdb, 2);
        if (select > LAST_SELECT_REPORT) {
            task.execution().fail(Sense.inCdb(2));
            return;
        }
        LunView view = task.lunView();
        List<Lun> luns = view.luns();
        // Heard is heard: for all logical units (SPC-4 §6.33).
        for (Lun lun : luns) {
            if (view.at(lun) instanceof LogicalUnit unit) {
                unit.clearAttention(task.nexus(), SenseCode.REPORTED_LUNS_DATA_CHANGED);
            }
        }
        luns = select == ONLY_WELL_KNOWN ? List.of() : luns;
        ByteBuffer answer = ByteBuffer.allocate(8 + 8 * luns.size());
        answer.putInt(8 * luns.size()).putInt(0);
        luns.forEach(lun -> answer.putLong(lun.value()));
        task.execution().reply(answer.array(), Cdb.u32(cdb, 6));
    }

    /** READ CAPACITY (10) (SBC-3 §5.15). */
    static void readCapacity10(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        long blocks = unit.blocks();
        if (blocks == 0) {
            task.execution().fail(SenseCode.BACKEND_UNREACHABLE);
            return;
        }
        ByteBuffer answer = ByteBuffer.allocate(8);
        answer.putInt((int) Math.min(blocks - 1, 0xffff_ffffL)).putInt(unit.blockBytes());
        task.execution().reply(answer.array(), answer.capacity());
    }

    /** READ CAPACITY (16) (SBC-3 §5.16). */
    static void readCapacity16(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        long blocks = unit.blocks();
        if (blocks == 0) {
            task.execution().fail(SenseCode.BACKEND_UNREACHABLE);
            return;
        }
        ByteBuffer answer = ByteBuffer.allocate(32);
        answer.putLong(blocks - 1).putInt(unit.blockBytes());
        answer.put(13, (byte) unit.blocksPerPhysicalExponent());
        answer.put(14, (byte) (unit.thin() ? THIN | READS_ZEROES : 0));
        task.execution().reply(answer.array(), Cdb.u32(task.cdb(), 10));
    }
}
