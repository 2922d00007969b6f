package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Task management (RFC 7143 §11.5): what is ended, when that is told, and what is told to be missing. */
class TaskManagementTest {
    private static final int ABORT_TASK = 1;
    private static final int ABORT_TASK_SET = 2;
    private static final int CLEAR_TASK_SET = 4;
    private static final int LUN_RESET = 5;
    private static final int CLEAR_ACA = 3;
    private static final int TARGET_WARM_RESET = 6;
    private static final int TARGET_COLD_RESET = 7;
    private static final int TASK_REASSIGN = 8;
    private static final int QUERY_TASK = 9;
    private static final int TASK_ABORTED = 0x40;

    private final IscsiRig rig = new IscsiRig();
    private final TestInitiator initiator = rig.connect().login().ready();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private int ask(int function, int tag) {
        initiator.send(initiator.taskManagement(function, tag));
        return initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response();
    }

    private Pdu slowWrite() {
        rig.disk.hold(BlockOperation.WRITE);
        Pdu write = initiator.write(0, 1, new byte[512]);
        initiator.send(write);
        initiator.expectNothing();
        return write;
    }

    @Test
    void shouldAnswerAnAbortOnlyWhenTheWriteHasReallyEnded() {
        Pdu write = slowWrite();
        initiator.send(initiator.taskManagement(ABORT_TASK, write.header().initiatorTaskTag()));
        initiator.expectNothing();
        rig.disk.release();
        Pdu answer = initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE);
        assertThat(answer.header().response()).isEqualTo(TaskManagement.COMPLETE);
        initiator.expectNothing();
    }

    @Test
    void shouldNotCallATaskUnknownThatIsStillBeingAborted() {
        Pdu write = slowWrite();
        Pdu first = initiator.taskManagement(ABORT_TASK, write.header().initiatorTaskTag());
        Pdu second = initiator.taskManagement(ABORT_TASK, write.header().initiatorTaskTag());
        initiator.send(first, second);
        initiator.expectNothing();
        rig.disk.release();
        for (Pdu request : new Pdu[] {first, second}) {
            Pdu answer = initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE);
            assertThat(answer.header().initiatorTaskTag())
                    .isEqualTo(request.header().initiatorTaskTag());
            assertThat(answer.header().response()).isEqualTo(TaskManagement.COMPLETE);
        }
    }

    @Test
    void shouldEndATaskThatStillWaitsForDataAtOnceAndThrowItsDataAway() {
        Pdu write = initiator.write(0, 8, Pdu.NO_DATA);
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);
        assertThat(ask(ABORT_TASK, write.header().initiatorTaskTag())).isEqualTo(TaskManagement.COMPLETE);
        // Sent before the initiator knew.
        byte[] junk = new byte[4096];
        junk[0] = 1;
        initiator.send(initiator.dataOut(r2t, junk));
        initiator.expectNothing();
        assertThat(initiator.readAll(0, 8)).containsOnly(0);
    }

    @Test
    void shouldGiveThePlaceOfAnAbortedTaskInTheWindowBack() {
        Pdu write = initiator.write(0, 8, Pdu.NO_DATA);
        initiator.send(write);
        initiator.expect(Opcode.R2T);
        ask(ABORT_TASK, write.header().initiatorTaskTag());
        assertThat(initiator.maxCmdSn - initiator.cmdSn).isEqualTo(TaskSet.COMMAND_WINDOW - 1);
    }

    @Test
    void shouldSayThatThereIsNoSuchTask() {
        assertThat(ask(ABORT_TASK, 0x4242)).isEqualTo(TaskManagement.NO_SUCH_TASK);
    }

    private TestInitiator neighbour() {
        TestInitiator neighbour = rig.connect();
        neighbour.name = TestInitiator.NAME + ":neighbour";
        return neighbour.login().ready();
    }

    @ParameterizedTest
    @ValueSource(ints = {ABORT_TASK_SET, CLEAR_TASK_SET})
    void shouldEndEveryTaskOfTheLunAndOfThisSessionOnly(int function) {
        TestInitiator neighbour = neighbour();
        slowWrite();
        initiator.send(initiator.write(0, 8, Pdu.NO_DATA));
        initiator.expect(Opcode.R2T);
        Pdu others = neighbour.write(8, 1, new byte[512]);
        neighbour.send(others);
        initiator.send(initiator.taskManagement(function, BasicHeader.NO_TAG));
        initiator.expectNothing();
        rig.disk.release();
        assertThat(initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(TaskManagement.COMPLETE);
        initiator.expectNothing();
        neighbour.expectStatus(others.header().initiatorTaskTag(), TestInitiator.GOOD);
    }

    @Test
    void shouldAnswerAnAbortOfNothing() {
        assertThat(ask(ABORT_TASK_SET, BasicHeader.NO_TAG)).isEqualTo(TaskManagement.COMPLETE);
    }

    @ParameterizedTest
    @ValueSource(ints = {LUN_RESET, TARGET_WARM_RESET})
    void shouldResetTheUnitForEverySessionWhenEveryTaskHasEnded(int function) {
        TestInitiator neighbour = neighbour();
        rig.disk.hold(BlockOperation.WRITE);
        Pdu running = neighbour.write(8, 1, new byte[512]);
        Pdu gathering = neighbour.write(16, 8, Pdu.NO_DATA);
        neighbour.send(running, gathering);
        Pdu r2t = neighbour.expect(Opcode.R2T);
        initiator.send(initiator.write(24, 1, new byte[512]));
        initiator.send(initiator.taskManagement(function, BasicHeader.NO_TAG));
        initiator.expectNothing();
        neighbour.expectStatus(gathering.header().initiatorTaskTag(), TASK_ABORTED);
        neighbour.expectNothing();
        rig.disk.release();
        assertThat(initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(TaskManagement.COMPLETE);
        initiator.expectNothing();
        neighbour.expectStatus(running.header().initiatorTaskTag(), TASK_ABORTED);
        // Sent before its initiator knew.
        neighbour.send(neighbour.dataOut(r2t, new byte[4096]));
        neighbour.expectNothing();
        for (TestInitiator each : new TestInitiator[] {initiator, neighbour}) {
            each.send(each.testUnitReady());
            Pdu answer = each.expect(Opcode.SCSI_RESPONSE);
            assertThat(answer.sense()).isEqualTo("6/29/03");
        }
    }

    @Test
    void shouldTellNobodyOfAbortedTasksWhenTheControlModePageSaysSo() {
        TestInitiator neighbour = neighbour();
        selectTas(0);
        neighbour.ready(); // mode parameters have changed
        neighbour.send(neighbour.write(16, 8, Pdu.NO_DATA));
        neighbour.expect(Opcode.R2T);
        assertThat(ask(LUN_RESET, BasicHeader.NO_TAG)).isEqualTo(TaskManagement.COMPLETE);
        neighbour.expectNothing();
        neighbour.send(neighbour.testUnitReady());
        assertThat(neighbour.expect(Opcode.SCSI_RESPONSE).sense()).isEqualTo("6/29/03");
        assertThat(neighbour.maxCmdSn - neighbour.cmdSn).isEqualTo(TaskSet.COMMAND_WINDOW - 1);
    }

    /** Sends the control mode page as it is, but for the bit. */
    private void selectTas(int tas) {
        byte[] list = HexFormat.of().parseHex("00000000" + "0a0a22100000" + "0000ffff0000");
        list[9] = (byte) (tas << 6);
        Pdu select = Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "15 10 0000 10 00", list.length);
        initiator.send(initiator.numbered(select.with(list)));
        assertThat(initiator.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
    }

    @Test
    void shouldEndEverySessionOfTheTargetAfterAColdReset() {
        TestInitiator neighbour = neighbour();
        TestInitiator browser = rig.connect().discovery();
        assertThat(ask(TARGET_COLD_RESET, BasicHeader.NO_TAG)).isEqualTo(TaskManagement.COMPLETE);
        initiator.expectClosed();
        neighbour.expectClosed();
        browser.expectNothing();
        rig.connect().login().ready();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldEndATaskWhoseDataAreHalfReceived(boolean immediate) {
        TestInitiator neighbour = neighbour();
        byte[] data = new byte[4096];
        Arrays.fill(data, (byte) 1);
        Pdu write = neighbour.write(8, 8, immediate ? data : Pdu.NO_DATA);
        byte[] bytes = neighbour.encode(write);
        if (!immediate) {
            neighbour.send(write);
            bytes = neighbour.encode(neighbour.dataOut(neighbour.expect(Opcode.R2T), data));
        }
        neighbour.sendRaw(Arrays.copyOf(bytes, 1000));
        assertThat(ask(LUN_RESET, BasicHeader.NO_TAG)).isEqualTo(TaskManagement.COMPLETE);
        neighbour.expectStatus(write.header().initiatorTaskTag(), TASK_ABORTED);
        neighbour.sendRaw(Arrays.copyOfRange(bytes, 1000, bytes.length));
        neighbour.expectNothing();
        neighbour.send(neighbour.testUnitReady());
        assertThat(neighbour.expect(Opcode.SCSI_RESPONSE).sense()).isEqualTo("6/29/03");
        assertThat(neighbour.readAll(8, 8)).as("nothing was written").containsOnly(0);
        assertThat(neighbour.maxCmdSn - neighbour.cmdSn)
                .as("the window is whole")
                .isEqualTo(TaskSet.COMMAND_WINDOW - 1);
    }

    @Test
    void shouldRefuseASecondResetWhileOneWaits() {
        slowWrite();
        initiator.send(initiator.taskManagement(LUN_RESET, BasicHeader.NO_TAG));
        assertThat(ask(LUN_RESET, BasicHeader.NO_TAG)).isEqualTo(TaskManagement.REJECTED);
        rig.disk.release();
        assertThat(initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(TaskManagement.COMPLETE);
        assertThat(ask(LUN_RESET, BasicHeader.NO_TAG)).isEqualTo(TaskManagement.COMPLETE);
    }

    @ParameterizedTest
    @ValueSource(ints = {ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, LUN_RESET})
    void shouldSayThatThereIsNoSuchLun(int function) {
        Pdu request = initiator.taskManagement(function, BasicHeader.NO_TAG);
        request.header().lun(0x0007_0000_0000_0000L);
        initiator.send(request);
        assertThat(initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isEqualTo(TaskManagement.NO_SUCH_LUN);
    }

    @Test
    void shouldEndTheConnectionWhenTheAnswerFindsNoMemory() {
        slowWrite();
        initiator.send(initiator.taskManagement(LUN_RESET, BasicHeader.NO_TAG));
        rig.starved = true;
        rig.disk.release();
        rig.pump();
        rig.starved = false;
        initiator.expectClosed();
        rig.connect().login();
    }

    @Test
    void shouldSayWhatIsNotThere() {
        assertThat(ask(CLEAR_ACA, BasicHeader.NO_TAG)).isEqualTo(TaskManagement.NOT_SUPPORTED);
        assertThat(ask(QUERY_TASK, 0x4242)).isEqualTo(TaskManagement.NOT_SUPPORTED);
        assertThat(ask(TASK_REASSIGN, 0x4242)).isEqualTo(TaskManagement.REASSIGN_NOT_SUPPORTED);
    }

    @Test
    void shouldLimitHowManyAbortsWait() {
        Pdu write = slowWrite();
        for (int i = 0; i < TaskSet.MAX_PENDING_ABORTS; i++) {
            initiator.send(initiator.taskManagement(ABORT_TASK, write.header().initiatorTaskTag()));
        }
        assertThat(ask(ABORT_TASK, write.header().initiatorTaskTag())).isEqualTo(TaskManagement.REJECTED);
        rig.disk.release();
        for (int i = 0; i < TaskSet.MAX_PENDING_ABORTS; i++) {
            initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE);
        }
    }

    @Test
    void shouldAnswerNobodyWhenTheConnectionHasGoneMeanwhile() {
        Pdu write = slowWrite();
        initiator.send(initiator.taskManagement(ABORT_TASK, write.header().initiatorTaskTag()));
        initiator.close();
        rig.disk.release();
        rig.pump();
        assertThat(rig.admission.isEmpty()).isTrue();
    }
}
