package io.holdfast.scsi;

import java.nio.ByteBuffer;

/** REPORT TARGET PORT GROUPS and SET TARGET PORT GROUPS (SPC-4 §6.37, §6.41). */
final class PortGroupCommands {
    private static final int EXTENDED = 1;
    private static final int EXTENDED_HEADER_BYTES = 4;
    private static final int DESCRIPTOR_BYTES = 12;

    // Transitioning, offline, unavailable, standby, active/non-optimized, active/optimized: T_SUP … AO_SUP.
    private static final int SUPPORTED_STATES = 0x80 | 0x40 | 0x08 | 0x04 | 0x02 | 0x01;

    private static final int LIST_HEADER_BYTES = 4;
    private static final int LIST_DESCRIPTOR_BYTES = 4;

    private PortGroupCommands() {}

    static void report(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        int format = Cdb.u8(cdb, 1) >>> 5;
        if (format > EXTENDED) {
            task.execution().fail(Sense.inCdb(1, 7));
            return;
        }
        var groups = unit.portGroups().groups();
        int header = Integer.BYTES + (format == EXTENDED ? EXTENDED_HEADER_BYTES : 0);
        ByteBuffer answer = ByteBuffer.allocate(header + groups.size() * DESCRIPTOR_BYTES);
        answer.putInt(answer.capacity() - Integer.BYTES);
        if (format == EXTENDED) {
            // IMPLICIT TRANSITION TIME 0: a transition here takes no time that is worth waiting for.
            answer.put((byte) (EXTENDED << 4));
        }
        answer.position(header);
        for (TargetPortGroups.Group group : groups) {
            answer.put((byte) group.state().code()).put((byte) SUPPORTED_STATES);
            answer.putShort((short) group.number());
            answer.put((byte) 0).put(statusCode(group.change())).put((byte) 0).put((byte) 1);
            answer.putInt(group.number());
        }
        task.execution().reply(answer.array(), Cdb.u32(cdb, 6));
    }

    private static byte statusCode(TargetPortGroups.Change change) {
        return switch (change) {
            case NONE -> 0;
            case BY_COMMAND -> 1;
            case BY_TARGET -> 2;
        };
    }

    /** All descriptors are judged before the first takes effect; then all take effect at once. */
    static void set(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        long length = Cdb.u32(task.cdb(), 6);
        task.dataOutWanted(length);
        if (length == 0) {
            task.execution().good();
            return;
        }
        byte[] list =
                length > Limits.MAX_PARAMETER_LIST_BYTES ? null : ParameterList.copy(task.dataOut(), (int) length);
        if (list == null || length < LIST_HEADER_BYTES || (length - LIST_HEADER_BYTES) % LIST_DESCRIPTOR_BYTES != 0) {
            task.execution().fail(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            return;
        }
        TargetPortGroups before;
        TargetPortGroups after;
        do {
            before = unit.portGroups();
            after = before;
            for (int at = LIST_HEADER_BYTES; at < list.length; at += LIST_DESCRIPTOR_BYTES) {
                AccessState state = AccessState.withCode(list[at] & 0x0f);
                int number = Cdb.u16(list, at + 2);
                TargetPortGroups.Group group = before.group(number);
                if (state == null || !state.settable()) {
                    task.execution().fail(Sense.inParameters(at));
                    return;
                }
                if (group == null) {
                    task.execution().fail(Sense.inParameters(at + 2));
                    return;
                }
                if (after.at(number) != state) {
                    after = after.with(number, state, TargetPortGroups.Change.BY_COMMAND);
                }
            }
        } while (after != before && !unit.changePortGroups(before, after, task.nexus()));
        task.execution().good();
    }
}
