package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * An initiator that logs in again: no write of its new session before the last write of its old ones has finished or been
 * discarded.
 */
class AdmissionOfWritesTest {
    private final IscsiRig rig = new IscsiRig();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private static byte[] block(int value) {
        byte[] block = new byte[512];
        Arrays.fill(block, (byte) value);
        return block;
    }

    private TestInitiator login(long isid) {
        TestInitiator initiator = rig.connect();
        initiator.isid = isid;
        return initiator.login().ready();
    }

    /** The one question a session is asked; answers nothing. */
    private static Pdu question(TestInitiator old) {
        Pdu ping = old.expect(Opcode.NOP_IN);
        assertThat(ping.header().initiatorTaskTag()).isEqualTo(BasicHeader.NO_TAG);
        assertThat(ping.header().targetTransferTag()).isNotEqualTo(BasicHeader.NO_TAG);
        return ping;
    }

    private static void answer(TestInitiator old, Pdu question) {
        Pdu answer = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate();
        answer.header()
                .initiatorTaskTag(BasicHeader.NO_TAG)
                .targetTransferTag(question.header().targetTransferTag())
                .cmdSn(old.cmdSn);
        old.send(answer);
    }

    @Test
    void shouldHoldTheNewWriteUntilTheOldOneHasFinished() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        rig.disk.hold(BlockOperation.WRITE);
        old.send(old.write(5, 1, block(1)));
        assertThat(rig.disk.heldCount()).isEqualTo(1);
        old.close();

        TestInitiator fresh = login(TestInitiator.LINUX_ISID + 1);
        fresh.send(fresh.write(5, 1, block(2)));
        fresh.expectNothing();
        assertThat(rig.disk.heldCount()).as("only the old write is at the disk").isEqualTo(1);

        rig.disk.release();
        assertThat(fresh.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
        assertThat(fresh.readAll(5, 1)).as("the newer write wins").isEqualTo(block(2));
    }

    @Test
    void shouldHoldTheNewWriteOfAReinstatedSessionToo() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        rig.disk.hold(BlockOperation.WRITE);
        old.send(old.write(5, 1, block(1)));

        TestInitiator fresh = login(TestInitiator.LINUX_ISID);
        old.expectClosed();
        fresh.send(fresh.write(5, 1, block(2)));
        fresh.expectNothing();
        assertThat(rig.disk.heldCount()).as("only the old write is at the disk").isEqualTo(1);
        rig.disk.release();
        assertThat(fresh.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
        assertThat(fresh.readAll(5, 1)).isEqualTo(block(2));
    }

    @Test
    void shouldReadWhileWritesAreHeld() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        rig.disk.hold(BlockOperation.WRITE);
        old.send(old.write(5, 1, block(1)));
        old.close();
        TestInitiator fresh = login(TestInitiator.LINUX_ISID + 1);
        fresh.send(fresh.write(5, 1, block(2)));
        assertThat(fresh.readAll(5, 1)).isEqualTo(block(0));
    }

    @Test
    void shouldDiscardWhatAnOldSessionHadNotBegunToWrite() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        old.send(old.write(5, 2, block(1)));
        old.expect(Opcode.R2T);
        TestInitiator fresh = login(TestInitiator.LINUX_ISID);
        old.expectClosed();
        Pdu write = fresh.write(6, 1, block(2));
        fresh.send(write);
        fresh.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        assertThat(fresh.readAll(5, 1)).isEqualTo(block(0));
    }

    @Test
    void shouldKeepAnOldSessionThatAnswersAndAdmitBoth() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        TestInitiator fresh = login(TestInitiator.LINUX_ISID + 1);
        Pdu write = fresh.write(5, 1, block(2));
        fresh.send(write);
        fresh.expectNothing();
        answer(old, question(old));
        fresh.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        rig.advanceSeconds(2 * Membership.PROOF_LIMIT_SECONDS);
        assertThat(old.readAll(5, 1)).as("the old session goes on").isEqualTo(block(2));
        old.send(old.write(5, 1, block(3)));
        assertThat(old.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
    }

    @Test
    void shouldCloseAnOldSessionThatDoesNotAnswer() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        TestInitiator fresh = login(TestInitiator.LINUX_ISID + 1);
        Pdu write = fresh.write(5, 1, block(2));
        fresh.send(write);
        question(old);
        rig.advanceSeconds(Membership.PROOF_LIMIT_SECONDS - 1);
        fresh.expectNothing();
        rig.advanceSeconds(1);
        old.expectClosed();
        fresh.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldCloseAnOldSessionThatDoesNotAnswerHoweverOftenItIsAsked() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        TestInitiator fresh = login(TestInitiator.LINUX_ISID + 1);
        Pdu write = fresh.write(5, 1, block(2));
        fresh.send(write);
        question(old);
        rig.advanceSeconds(Membership.PROOF_LIMIT_SECONDS - 1);
        TestInitiator passer = login(TestInitiator.LINUX_ISID + 2);
        answer(fresh, question(fresh));
        question(old);
        rig.advanceSeconds(1);
        old.expectClosed();
        fresh.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        passer.close();
    }

    @Test
    void shouldNotTakeTheAnswerToAnEarlierQuestionForProof() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        TestInitiator second = login(TestInitiator.LINUX_ISID + 1);
        Pdu early = question(old);
        TestInitiator third = login(TestInitiator.LINUX_ISID + 2);
        Pdu late = question(old);
        answer(second, question(second));
        Pdu write = third.write(5, 1, block(3));
        third.send(write);
        answer(old, early);
        third.expectNothing();
        answer(old, late);
        third.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldNotTakeAnUnaskedNopForProof() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        TestInitiator fresh = login(TestInitiator.LINUX_ISID + 1);
        Pdu question = question(old);
        question.header().targetTransferTag(question.header().targetTransferTag() + 77);
        answer(old, question);
        fresh.send(fresh.write(5, 1, block(2)));
        fresh.expectNothing();
    }

    @Test
    void shouldMakeAThirdSessionWaitForAllOlderOnes() {
        TestInitiator first = login(TestInitiator.LINUX_ISID);
        rig.disk.hold(BlockOperation.WRITE);
        first.send(first.write(5, 1, block(1)));
        first.close();
        TestInitiator second = login(TestInitiator.LINUX_ISID + 1);
        second.send(second.write(5, 1, block(2)));
        second.close();
        TestInitiator third = login(TestInitiator.LINUX_ISID + 2);
        third.send(third.write(5, 1, block(3)));
        third.expectNothing();
        assertThat(rig.disk.heldCount())
                .as("only the first write is at the disk")
                .isEqualTo(1);
        rig.disk.release();
        assertThat(third.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
        assertThat(third.readAll(5, 1)).as("the second's write was never begun").isEqualTo(block(3));
    }

    @Test
    void shouldNotMakeOneInitiatorWaitForAnother() {
        TestInitiator slow = login(TestInitiator.LINUX_ISID);
        rig.disk.hold(BlockOperation.WRITE);
        slow.send(slow.write(5, 1, block(1)));
        slow.close();
        TestInitiator other = rig.connect();
        other.name = TestInitiator.NAME + ":other";
        other.login().ready();
        other.send(other.write(6, 1, block(2)));
        assertThat(rig.disk.heldCount()).as("both writes are at the disk").isEqualTo(2);
        rig.disk.release();
        assertThat(other.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
    }

    @Test
    void shouldTellInitiatorsWhoseNamesDifferFarToTheRightApart() {
        String common = "iqn.2026-11.io.holdfast.test:" + "x".repeat(150);
        TestInitiator slow = rig.connect();
        slow.name = common + "1";
        slow.login().ready();
        TestInitiator other = rig.connect();
        other.name = common + "2";
        other.login().ready();
        slow.expectNothing();
        Pdu write = other.write(6, 1, block(2));
        other.send(write);
        other.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldAdmitWritesAfterAnOldSessionThatRanOutOfMemory() {
        TestInitiator old = login(TestInitiator.LINUX_ISID);
        rig.starved = true;
        old.send(old.read(0, 1)); // neither the data nor the answer finds memory
        rig.starved = false;
        old.expectClosed();
        TestInitiator fresh = login(TestInitiator.LINUX_ISID + 1);
        Pdu write = fresh.write(5, 1, block(2));
        fresh.send(write);
        fresh.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldTellWhenSessionsBeginAndWhenTheirLastWriteHasEnded() {
        TestInitiator initiator = login(TestInitiator.LINUX_ISID);
        rig.disk.hold(BlockOperation.WRITE);
        initiator.send(initiator.write(5, 1, block(1)));
        initiator.close();
        assertThat(rig.events).containsExactly("opened 1");
        rig.disk.release();
        rig.pump();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
    }
}
