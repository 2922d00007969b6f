package io.holdfast.iscsi;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** PREEMPT AND ABORT (SPC-4 §5.13.11.2.7) ends commands of another session, on its own connection. */
class PreemptAndAbortTest {
    private static final int GOOD = 0;
    private static final int CHECK_CONDITION = 2;
    private static final int RESERVATION_CONFLICT = 0x18;

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
    void shouldAnswerOnceThePreemptedWriteHasReallyEndedUnanswered() {
        good(victim, REGISTER, 0, 5);
        good(victim, RESERVE, 5, 0);
        good(preemptor, REGISTER, 0, 6);
        rig.disk.hold(BlockOperation.WRITE);
        victim.send(victim.write(0, 1, new byte[512]));
        victim.expectNothing();

        Pdu preempt = reserveOut(preemptor, PREEMPT_AND_ABORT, 6, 5);
        preemptor.send(preempt);
        preemptor.expectNothing();
        rig.disk.release();

        preemptor.expectStatus(preempt.header().initiatorTaskTag(), GOOD);
        victim.expectNothing();
        Pdu hears = victim.testUnitReady();
        victim.send(hears);
        victim.expectStatus(hears.header().initiatorTaskTag(), CHECK_CONDITION);
        Pdu late = victim.write(0, 1, new byte[512]);
        victim.send(late);
        victim.expectStatus(late.header().initiatorTaskTag(), RESERVATION_CONFLICT);
    }

    @Test
    void shouldEndTheWriteThatStillWaitsForItsData() {
        good(victim, REGISTER, 0, 5);
        good(preemptor, REGISTER, 0, 6);
        victim.send(victim.write(0, 8, Pdu.NO_DATA));
        victim.expect(Opcode.R2T);

        good(preemptor, PREEMPT_AND_ABORT, 6, 5);

        victim.expectNothing();
    }
}
