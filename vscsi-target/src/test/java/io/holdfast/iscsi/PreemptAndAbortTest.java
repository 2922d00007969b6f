package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** PREEMPT AND ABORT (SPC-4 §5.13.11.2.7) ends commands of another session, on its own connection. */
class PreemptAndAbortTest {
    private static final int GOOD = 0;
    private static final int CHECK_CONDITION = 2;
    private static final int RESERVATION_CONFLICT = 0x18;

    private static final int TASK_ABORTED = 0x40;

    private static final int REGISTER = 0;
    private static final int RESERVE = 1;
    private static final int PREEMPT_AND_ABORT = 5;
    private static final int EXCLUSIVE_ACCESS = 3;

    private final IscsiRig rig = new IscsiRig();
    private final TestInitiator victim = rig.connect().login().ready();
    private final TestInitiator preemptor = other();

    private TestInitiator other() {
        TestInitiator other = rig.connect();
        other.name = TestInitiator.NAME + ":other";
        return other.login().ready();
    }

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private static Pdu reserveOut(TestInitiator initiator, int action, long key, long actionKey) {
        byte[] list = new byte[24];
        ByteBuffer.wrap(list).putLong(key).putLong(actionKey);
        String cdb = String.format("5f %02x %02x 0000 00000018 00", action, EXCLUSIVE_ACCESS);
        return initiator.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, cdb, list.length)
                .with(list));
    }

    private static void good(TestInitiator initiator, int action, long key, long actionKey) {
        Pdu out = reserveOut(initiator, action, key, actionKey);
        initiator.send(out);
        initiator.expectStatus(out.header().initiatorTaskTag(), GOOD);
    }

    @Test
    void shouldAnswerOnceThePreemptedWriteHasReallyEnded() {
        good(victim, REGISTER, 0, 5);
        good(victim, RESERVE, 5, 0);
        good(preemptor, REGISTER, 0, 6);
        rig.disk.hold(BlockOperation.WRITE);
        Pdu write = victim.write(0, 1, new byte[512]);
        victim.send(write);
        victim.expectNothing();

        Pdu preempt = reserveOut(preemptor, PREEMPT_AND_ABORT, 6, 5);
        preemptor.send(preempt);
        preemptor.expectNothing();
        rig.disk.release();

        preemptor.expectStatus(preempt.header().initiatorTaskTag(), GOOD);
        victim.expectStatus(write.header().initiatorTaskTag(), TASK_ABORTED);
        assertThat(unitAttention()).as("REGISTRATIONS PREEMPTED").isEqualTo(0x2a05);
        Pdu late = victim.write(0, 1, new byte[512]);
        victim.send(late);
        victim.expectStatus(late.header().initiatorTaskTag(), RESERVATION_CONFLICT);
    }

    @Test
    void shouldEndTheWriteThatStillWaitsForItsData() {
        good(victim, REGISTER, 0, 5);
        good(preemptor, REGISTER, 0, 6);
        Pdu write = victim.write(0, 8, Pdu.NO_DATA);
        victim.send(write);
        victim.expect(Opcode.R2T);

        good(preemptor, PREEMPT_AND_ABORT, 6, 5);

        victim.expectStatus(write.header().initiatorTaskTag(), TASK_ABORTED);
    }

    @Test
    void shouldSayAfterwardsThatCommandsWereClearedWhereTheyAreNotAnswered() {
        good(victim, REGISTER, 0, 5);
        good(preemptor, REGISTER, 0, 6);
        withoutTaskAbortedStatus();
        victim.send(victim.write(0, 8, Pdu.NO_DATA));
        victim.expect(Opcode.R2T);

        good(preemptor, PREEMPT_AND_ABORT, 6, 5);

        assertThat(unitAttention()).as("COMMANDS CLEARED BY ANOTHER INITIATOR").isEqualTo(0x2f00);
        assertThat(unitAttention()).as("REGISTRATIONS PREEMPTED").isEqualTo(0x2a05);
        Pdu ready = victim.testUnitReady();
        victim.send(ready);
        victim.expectStatus(ready.header().initiatorTaskTag(), GOOD);
    }

    /** TAS=0 in the control mode page, set by the victim, who hears nothing of it then. */
    private void withoutTaskAbortedStatus() {
        byte[] list = HexFormat.of().parseHex("00000000" + "0a0a221000000000ffff0000");
        Pdu select =
                victim.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "15 10 0000 10 00", list.length)
                        .with(list));
        victim.send(select);
        victim.expectStatus(select.header().initiatorTaskTag(), GOOD);
        preemptor.ready();
    }

    /** The additional sense code and qualifier of the unit attention that the victim hears next. */
    private int unitAttention() {
        Pdu ready = victim.testUnitReady();
        victim.send(ready);
        byte[] sense = victim.expectStatus(ready.header().initiatorTaskTag(), CHECK_CONDITION)
                .data();
        return ByteBuffer.wrap(sense).getShort(2 + 12) & 0xffff;
    }
}
