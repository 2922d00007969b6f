package io.holdfast.scsi;

import java.nio.ByteBuffer;

/** INQUIRY (SPC-4 §6.6): the standard data, and the way to the vital product data. */
final class Inquiry {
    private static final int EVPD = 0x01;

    // Peripheral qualifier 3, device type 1Fh: no logical unit here, and none can be.
    private static final int ABSENT = 0x7f;
    private static final int DIRECT_ACCESS = 0x00;

    private static final byte REMOVABLE = (byte) 0x80;
    private static final int SPC_4 = 0x06;
    private static final int RESPONSE_FORMAT = 0x02;
    private static final int HISUP = 0x10;
    private static final byte TPGS_IMPLICIT_AND_EXPLICIT = 0x30;
    private static final byte THIRD_PARTY_COPY = 0x08;
    private static final int MULTIP = 0x10;
    private static final int CMDQUE = 0x02;

    /** Version descriptors (SPC-4 table 523), without a year: SAM-5, SPC-4, SBC-3. The transport is not ours to name. */
    private static final short[] VERSIONS = {0x00a0, 0x0460, 0x04c0};

    private static final int STANDARD_BYTES = 96;
    private static final int VERSIONS_AT = 58;

    private Inquiry() {}

    static void inquiry(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        boolean vital = (cdb[1] & EVPD) != 0;
        int pageCode = Cdb.u8(cdb, 2);
        if (vital) {
            VpdPage page = VpdPage.withCode(pageCode);
            if (page == null) {
                task.execution().fail(Sense.inCdb(2));
            } else {
                task.execution().reply(page.content(unit, task.nexus()), Cdb.u16(cdb, 3));
            }
        } else if (pageCode != 0) {
            task.execution().fail(Sense.inCdb(2));
        } else {
            task.execution().reply(standard(unit), Cdb.u16(cdb, 3));
        }
    }

    /** The answer at a LUN without a logical unit. */
    static void answerAbsent(ScsiTask task, LogicalUnitIdentity target) {
        byte[] cdb = task.cdb();
        if ((cdb[1] & EVPD) != 0 || cdb[2] != 0) {
            task.execution().fail(Sense.inCdb(2));
        } else {
            task.execution().reply(standard(target, ABSENT), Cdb.u16(cdb, 3));
        }
    }

    private static byte[] standard(LogicalUnit unit) {
        byte[] answer = standard(unit.identity(), DIRECT_ACCESS);
        answer[1] = unit.removable() ? REMOVABLE : 0;
        answer[5] = TPGS_IMPLICIT_AND_EXPLICIT | THIRD_PARTY_COPY;
        answer[6] = (byte) (unit.portGroups().ports().size() > 1 ? MULTIP : 0);
        return answer;
    }

    private static byte[] standard(LogicalUnitIdentity identity, int peripheral) {
        ByteBuffer answer = ByteBuffer.allocate(STANDARD_BYTES);
        answer.put((byte) peripheral).put((byte) 0).put((byte) SPC_4);
        answer.put((byte) (HISUP | RESPONSE_FORMAT));
        answer.put((byte) (STANDARD_BYTES - 5)).put((byte) 0).put((byte) 0).put((byte) CMDQUE);
        answer.put(identity.paddedVendor()).put(identity.paddedProduct()).put(identity.paddedRevision());
        answer.position(VERSIONS_AT);
        for (short version : VERSIONS) {
            answer.putShort(version);
        }
        return answer.array();
    }
}
