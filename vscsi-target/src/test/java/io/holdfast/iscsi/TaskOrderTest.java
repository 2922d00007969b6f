package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.Opcode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Task attributes (SAM-5 §8): who is executed when. */
class TaskOrderTest {
    private static final int SIMPLE = 1;
    private static final int ORDERED = 2;
    private static final int HEAD_OF_QUEUE = 3;

    private final IscsiRig rig = new IscsiRig();
    private final TestInitiator initiator = rig.connect().login().ready();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    /** Sends a write; returns its tag. */
    private int write(int attribute, long lba) {
        Pdu write = initiator.write(lba, 1, new byte[512]);
        write.header().bytes()[1] |= (byte) attribute;
        initiator.send(write);
        return write.header().initiatorTaskTag();
    }

    @Test
    void shouldExecuteSimpleTasksTogether() {
        rig.disk.hold(BlockOperation.WRITE);
        write(SIMPLE, 1);
        write(0, 2);
        assertThat(rig.disk.heldCount()).isEqualTo(2);
    }

    @Test
    void shouldExecuteAnOrderedTaskAloneBetweenOlderAndNewerOnes() {
        rig.disk.hold(BlockOperation.WRITE);
        int first = write(SIMPLE, 1);
        int ordered = write(ORDERED, 2);
        int last = write(SIMPLE, 3);
        assertThat(rig.disk.heldCount()).as("only the oldest").isEqualTo(1);
        rig.disk.release();
        initiator.expectStatus(first, TestInitiator.GOOD);
        initiator.expectStatus(ordered, TestInitiator.GOOD);
        initiator.expectStatus(last, TestInitiator.GOOD);
    }

    @Test
    void shouldLetAnOrderedTaskWaitForDataThatAnOlderOneIsWaitingFor() {
        initiator.send(initiator.write(0, 8, Pdu.NO_DATA));
        Pdu r2t = initiator.expect(Opcode.R2T);
        int ordered = write(ORDERED, 20);
        initiator.expectNothing();
        initiator.send(initiator.dataOut(r2t, new byte[4096]));
        initiator.expectStatus(r2t.header().initiatorTaskTag(), TestInitiator.GOOD);
        initiator.expectStatus(ordered, TestInitiator.GOOD);
    }

    @Test
    void shouldExecuteHeadOfQueueAtOnceAndHoldNewerSimpleOnesBehindIt() {
        rig.disk.hold(BlockOperation.WRITE);
        write(SIMPLE, 1);
        write(ORDERED, 2);
        write(HEAD_OF_QUEUE, 3);
        write(SIMPLE, 4);
        assertThat(rig.disk.heldCount()).as("the first and the head of queue").isEqualTo(2);
        rig.disk.release();
        for (int i = 0; i < 4; i++) {
            assertThat(initiator.expect(Opcode.SCSI_RESPONSE).header().scsiStatus())
                    .isZero();
        }
    }

    @Test
    void shouldGoOnWhenTheTaskThatOthersWaitForIsAborted() {
        initiator.send(initiator.write(0, 8, Pdu.NO_DATA));
        Pdu r2t = initiator.expect(Opcode.R2T);
        int ordered = write(ORDERED, 20);
        int simple = write(SIMPLE, 21);
        initiator.send(initiator.taskManagement(1, r2t.header().initiatorTaskTag()));
        initiator.expect(Opcode.TASK_MANAGEMENT_RESPONSE);
        initiator.expectStatus(ordered, TestInitiator.GOOD);
        initiator.expectStatus(simple, TestInitiator.GOOD);
    }

    @Test
    void shouldNotWaitForOtherSessions() {
        TestInitiator neighbour = rig.connect();
        neighbour.name = TestInitiator.NAME + ":neighbour";
        neighbour.login().ready();
        rig.disk.hold(BlockOperation.WRITE);
        neighbour.send(neighbour.write(5, 1, new byte[512]));
        write(ORDERED, 1);
        assertThat(rig.disk.heldCount()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 7})
    void shouldRefuseAttributesThatAreNotThere(int attribute) {
        int tag = write(attribute, 1);
        assertThat(initiator.expectStatus(tag, TestInitiator.CHECK_CONDITION).sense())
                .isEqualTo("5/49/00");
        write(SIMPLE, 1);
        assertThat(initiator.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
    }
}
