package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several connections in one session (RFC 7143 §4.2.2, §6.3): joining, order, task management, leaving. */
class SessionOfSeveralConnectionsTest {
    private static final int ABORT_TASK = 1;
    private static final int ABORT_TASK_SET = 2;
    private static final int COMPLETE = 0;

    private final IscsiRig rig = new IscsiRig();
    private final TestInitiator first = rig.connect().login("MaxConnections=3").ready();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private TestInitiator join(int connectionId) {
        return rig.connect().joining(first, connectionId).login();
    }

    /** A command numbered by the session, to be sent by whichever connection. */
    private Pdu write(long lba, int value) {
        byte[] block = new byte[512];
        Arrays.fill(block, (byte) value);
        return first.write(lba, 1, block);
    }

    private static Pdu logout(TestInitiator initiator, int reason, int connectionId) {
        Pdu logout = Pdu.of(Opcode.LOGOUT_REQUEST, BasicHeader.FINAL | reason).immediate();
        logout.header().putShort(20, connectionId);
        return initiator.numbered(logout);
    }

    // ------------------------------------------------------------------ joining

    @Test
    void shouldServeByEveryConnectionAndBeOneSessionToOthers() {
        TestInitiator second = join(2);
        Pdu write = write(7, 5);
        second.send(write);
        second.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        assertThat(first.readAll(7, 1)).containsOnly(5);
        assertThat(rig.events).containsExactly("opened 1");
        second.close();
        assertThat(rig.events).containsExactly("opened 1");
        first.close();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
    }

    @Test
    void shouldCountStatusesOfEachConnectionApartAndTellOneWindow() {
        TestInitiator second = join(2);
        int status = first.statSn;
        Pdu a = first.testUnitReady();
        Pdu b = first.testUnitReady();
        first.send(a);
        second.send(b);
        assertThat(first.expect(Opcode.SCSI_RESPONSE).header().statSn()).isEqualTo(status + 1);
        Pdu answer = second.expect(Opcode.SCSI_RESPONSE);
        assertThat(answer.header().statSn()).isEqualTo(2);
        assertThat(answer.header().expCmdSn()).isEqualTo(first.cmdSn);
    }

    @Test
    void shouldSayThatKeysOfTheSessionMeanNothingAtALaterLogin() {
        TestInitiator second = rig.connect().joining(first, 2);
        Pdu answer = second.loginAnswer("MaxBurstLength=512", "MaxConnections=2", "DataDigest=CRC32C");
        assertThat(answer.keys())
                .containsEntry("MaxBurstLength", "Irrelevant")
                .containsEntry("MaxConnections", "Irrelevant")
                .containsEntry("DataDigest", "CRC32C");
        second.send(first.read(0, 2048));
        assertThat(second.expect(Opcode.DATA_IN).header().flag(BasicHeader.FINAL))
                .as("the session's bursts are longer")
                .isFalse();
        second.close();
    }

    @Test
    void shouldRefuseAConnectionTooMany() {
        join(2);
        join(3);
        Pdu refusal = rig.connect().joining(first, 4).loginRefusal();
        assertThat(refusal.header().loginStatusClass()).isEqualTo(2);
        assertThat(refusal.header().loginStatusDetail()).isEqualTo(6);
    }

    @Test
    void shouldRefuseAConnectionToNoSessionOrAnothers() {
        TestInitiator lost = rig.connect().joining(first, 2);
        lost.tsih++;
        assertThat(lost.loginRefusal().header().loginStatusDetail()).isEqualTo(0x0a);
        TestInitiator foreign = rig.connect().joining(first, 2);
        foreign.name = TestInitiator.NAME + ":other";
        assertThat(foreign.loginRefusal().header().loginStatusDetail()).isEqualTo(0x0a);
        TestInitiator otherPort = rig.connect().joining(first, 2);
        otherPort.isid++;
        assertThat(otherPort.loginRefusal().header().loginStatusDetail()).isEqualTo(0x0a);
    }

    @Test
    void shouldRefuseASecondConnectionWhereOneWasAgreedOn() {
        TestInitiator single = rig.connect();
        single.isid++;
        single.login().ready();
        assertThat(rig.connect().joining(single, 2).loginRefusal().header().loginStatusDetail())
                .isEqualTo(6);
    }

    @Test
    void shouldReplaceAConnectionWhenItsLastWriteHasEnded() {
        TestInitiator old = join(2);
        rig.disk.hold(BlockOperation.WRITE);
        old.send(write(0, 1));
        TestInitiator fresh = rig.connect().joining(first, 2);
        fresh.sendLogin();
        fresh.expectNothing();
        old.expectClosed();
        rig.disk.release();
        assertThat(fresh.expect(Opcode.LOGIN_RESPONSE).header().loginStatusClass())
                .isZero();
        Pdu write = write(0, 2);
        fresh.send(write);
        fresh.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        assertThat(first.readAll(0, 1)).containsOnly(2);
        assertThat(rig.events).containsExactly("opened 1");
    }

    @Test
    void shouldGoOnWithANewConnectionWhenTheOnlyOneIsReplaced() {
        TestInitiator fresh = join(1 - 1);
        first.expectClosed();
        fresh.cmdSn = first.cmdSn;
        fresh.readAll(0, 1);
        assertThat(rig.events).as("one session all the time").containsExactly("opened 1");
    }

    @Test
    void shouldForgetALoginThatEndsWhileItWaits() {
        rig.disk.hold(BlockOperation.WRITE);
        first.send(write(0, 1));
        TestInitiator fresh = rig.connect().joining(first, 0);
        fresh.sendLogin();
        fresh.close();
        rig.disk.release();
        rig.pump();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
    }

    @Test
    void shouldEndEveryConnectionWhenTheInitiatorPortLogsInAgain() {
        TestInitiator second = join(2);
        TestInitiator again = rig.connect().login();
        first.expectClosed();
        second.expectClosed();
        again.ready();
        assertThat(rig.events).containsExactly("opened 1", "opened 2", "closed 1");
    }

    @Test
    void shouldProveByAnyConnectionThatTheSessionIsInUse() {
        TestInitiator second = join(2);
        TestInitiator newer = rig.connect();
        newer.isid++;
        newer.login().ready();
        Pdu question = second.expect(Opcode.NOP_IN);
        Pdu answer = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate();
        answer.header()
                .initiatorTaskTag(BasicHeader.NO_TAG)
                .targetTransferTag(question.header().targetTransferTag());
        answer.header().cmdSn(first.cmdSn);
        second.send(answer);
        rig.advanceSeconds(Membership.PROOF_LIMIT_SECONDS + 1);
        first.expect(Opcode.NOP_IN);
        first.expectNothing();
        second.expectNothing();
        newer.writeAll(0, new byte[512]);
    }

    // ------------------------------------------------------------------ order

    @Test
    void shouldExecuteInTheOrderOfTheSessionWhicheverConnectionIsFaster() {
        TestInitiator second = join(2);
        Pdu one = write(0, 1);
        Pdu two = write(0, 2);
        Pdu three = write(0, 3);
        second.send(three);
        second.send(two);
        second.expectNothing();
        first.send(one);
        first.expectStatus(one.header().initiatorTaskTag(), TestInitiator.GOOD);
        second.expectStatus(two.header().initiatorTaskTag(), TestInitiator.GOOD);
        second.expectStatus(three.header().initiatorTaskTag(), TestInitiator.GOOD);
        assertThat(first.readAll(0, 1)).containsOnly(3);
    }

    @Test
    void shouldAskForDataOnlyInOrder() {
        TestInitiator second = join(2);
        Pdu ping = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL);
        ping.header().targetTransferTag(BasicHeader.NO_TAG);
        first.numbered(ping);
        Pdu write = first.write(0, 4, Pdu.NO_DATA);
        second.send(write);
        second.expectNothing();
        first.send(ping);
        first.expect(Opcode.NOP_IN);
        Pdu r2t = second.expect(Opcode.R2T);
        second.send(second.dataOut(r2t, new byte[2048]));
        second.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldTakeEarlyRequestsOfEveryKindInTheirTurn() {
        TestInitiator second = join(2);
        Pdu read = first.read(0, 1);
        Pdu ping = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).with(new byte[] {1, 2, 3, 4});
        ping.header().targetTransferTag(BasicHeader.NO_TAG);
        first.numbered(ping);
        second.send(ping);
        second.expectNothing();
        first.send(read);
        first.expect(Opcode.DATA_IN);
        assertThat(second.expect(Opcode.NOP_IN).data()).containsExactly(1, 2, 3, 4);
    }

    @Test
    void shouldIgnoreACommandThatAnotherConnectionBroughtBefore() {
        TestInitiator second = join(2);
        Pdu missing = first.testUnitReady();
        Pdu early = write(0, 9);
        first.send(early);
        second.send(early);
        second.send(missing);
        second.expectStatus(missing.header().initiatorTaskTag(), TestInitiator.GOOD);
        first.expectStatus(early.header().initiatorTaskTag(), TestInitiator.GOOD);
        second.expectNothing();
        assertThat(first.readAll(0, 1)).containsOnly(9);
    }

    @Test
    void shouldTakeALostCommandByAnotherConnection() {
        TestInitiator second = join(2);
        Pdu lost = write(0, 1);
        Pdu early = write(0, 2);
        first.send(early);
        second.close();
        first.send(lost);
        first.expectStatus(lost.header().initiatorTaskTag(), TestInitiator.GOOD);
        first.expectStatus(early.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldForgetEarlyCommandsOfAConnectionThatEnds() {
        TestInitiator second = join(2);
        Pdu missing = write(0, 1);
        Pdu early = write(0, 2);
        second.send(early);
        second.close();
        first.send(missing);
        first.expectStatus(missing.header().initiatorTaskTag(), TestInitiator.GOOD);
        first.expectNothing();
        first.send(early);
        first.expectStatus(early.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldGiveBackThePlacesOfAConnectionThatEnds() {
        TestInitiator second = join(2);
        for (int i = 0; i < 20; i++) {
            second.send(first.write(0, 8, Pdu.NO_DATA));
            second.expect(Opcode.R2T);
        }
        second.close();
        first.send(first.testUnitReady());
        Pdu answer = first.expect(Opcode.SCSI_RESPONSE);
        assertThat(answer.header().maxCmdSn() - answer.header().expCmdSn()).isEqualTo(TaskSet.COMMAND_WINDOW - 1);
    }

    @Test
    void shouldHoldAnOrderedCommandUntilOlderOnesOfOtherConnectionsHaveEnded() {
        TestInitiator second = join(2);
        rig.disk.hold(BlockOperation.WRITE);
        Pdu old = write(0, 1);
        first.send(old);
        Pdu ordered = first.read(0, 1);
        ordered.header().bytes()[1] |= 2;
        second.send(ordered);
        second.expectNothing();
        rig.disk.release();
        first.expectStatus(old.header().initiatorTaskTag(), TestInitiator.GOOD);
        assertThat(second.expect(Opcode.DATA_IN).data()).containsOnly(1);
    }

    // ------------------------------------------------------------------ task management

    @Test
    void shouldAbortATaskOfAnotherConnection() {
        TestInitiator second = join(2);
        rig.disk.hold(BlockOperation.WRITE);
        Pdu write = write(0, 1);
        second.send(write);
        first.send(first.taskManagement(ABORT_TASK, write.header().initiatorTaskTag()));
        first.expectNothing();
        rig.disk.release();
        assertThat(first.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(COMPLETE);
        second.expectNothing();
    }

    @Test
    void shouldFillTheGapOfACommandThatWillNotCome() {
        TestInitiator second = join(2);
        Pdu lost = write(0, 1);
        Pdu early = write(0, 2);
        first.send(early);
        first.expectNothing();
        Pdu abort = second.taskManagement(ABORT_TASK, lost.header().initiatorTaskTag());
        abort.header().cmdSn(first.cmdSn).putInt(32, lost.header().cmdSn());
        second.send(abort);
        assertThat(second.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(COMPLETE);
        first.expectStatus(early.header().initiatorTaskTag(), TestInitiator.GOOD);
        first.send(lost);
        first.expectNothing();
        assertThat(first.readAll(0, 1)).containsOnly(2);
    }

    @Test
    void shouldAbortAnEarlyCommandAndGoOn() {
        TestInitiator second = join(2);
        Pdu missing = write(0, 1);
        Pdu early = write(0, 2);
        Pdu last = write(1, 3);
        second.send(early, last);
        Pdu abort = first.taskManagement(ABORT_TASK, early.header().initiatorTaskTag());
        first.send(abort);
        assertThat(first.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(COMPLETE);
        first.send(missing);
        first.expectStatus(missing.header().initiatorTaskTag(), TestInitiator.GOOD);
        second.expectStatus(last.header().initiatorTaskTag(), TestInitiator.GOOD);
        assertThat(first.readAll(0, 1)).containsOnly(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {ABORT_TASK_SET, 5})
    void shouldEndTasksOfAllConnectionsAlsoThoseThatAreStillOnTheirWay(int function) {
        TestInitiator second = join(2);
        rig.disk.hold(BlockOperation.WRITE);
        Pdu late = write(0, 1);
        Pdu early = write(1, 2);
        second.send(early);
        Pdu abort = first.taskManagement(function, BasicHeader.NO_TAG);
        first.send(abort);
        first.expectNothing();
        second.send(late);
        first.expectNothing();
        rig.disk.release();
        assertThat(first.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(COMPLETE);
        second.expectNothing();
    }

    // ------------------------------------------------------------------ leaving

    @Test
    void shouldLogOutAnotherConnectionWhenItsTasksHaveEnded() {
        TestInitiator second = join(2);
        rig.disk.hold(BlockOperation.WRITE);
        second.send(write(0, 1));
        first.send(logout(first, 1, 2));
        second.expectClosed();
        first.expectNothing();
        rig.disk.release();
        assertThat(first.expect(Opcode.LOGOUT_RESPONSE).header().response()).isZero();
        first.readAll(0, 1);
    }

    @Test
    void shouldLogOutOneConnectionAndKeepTheSession() {
        TestInitiator second = join(2);
        second.send(logout(second, 1, 2));
        assertThat(second.expect(Opcode.LOGOUT_RESPONSE).header().response()).isZero();
        second.expectClosed();
        first.readAll(0, 1);
        assertThat(rig.events).containsExactly("opened 1");
    }

    @Test
    void shouldSayThatThereIsNoSuchConnection() {
        first.send(logout(first, 1, 99));
        assertThat(first.expect(Opcode.LOGOUT_RESPONSE).header().response()).isEqualTo(1);
        first.readAll(0, 1);
    }

    @Test
    void shouldEndTheWholeSessionWhenAllItsTasksHaveEnded() {
        TestInitiator second = join(2);
        rig.disk.hold(BlockOperation.WRITE);
        second.send(write(0, 1));
        first.send(logout(first, 0, 0));
        second.expectClosed();
        first.expectNothing();
        assertThat(rig.events).containsExactly("opened 1");
        rig.disk.release();
        assertThat(first.expect(Opcode.LOGOUT_RESPONSE).header().response()).isZero();
        first.expectClosed();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
    }

    @Test
    void shouldStopWithEveryConnectionAnswered() {
        TestInitiator second = join(2);
        rig.disk.hold(BlockOperation.WRITE);
        Pdu write = write(0, 1);
        second.send(write);
        rig.shutdown();
        assertThat(first.expect(Opcode.ASYNC_MESSAGE).header().asyncEvent()).isEqualTo(3);
        rig.disk.release();
        assertThat(second.expect(Opcode.ASYNC_MESSAGE).header().asyncEvent()).isEqualTo(3);
        second.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        second.expectClosed();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
    }
}
