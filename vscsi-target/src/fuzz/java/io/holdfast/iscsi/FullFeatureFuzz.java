package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Any PDUs in full feature phase, on two connections of one initiator, to a disk whose operations end early or late: no
 * fault of ours, everything sent is iSCSI, every buffer and every byte of memory comes back, and a bystander is served.
 */
class FullFeatureFuzz {
    private static final int PDU = 0;
    /** The same, but with the CmdSN that stands in it. */
    private static final int PDU_AS_IT_IS = 1;

    private static final int RAW = 2;
    private static final int HOLD = 3;
    private static final int RELEASE = 4;
    private static final int ADVANCE = 5;
    private static final int OTHER_CONNECTION = 6;
    private static final int STARVE = 7;
    private static final int CLOSE = 8;
    private static final int KINDS = 9;

    private static final int MAX_DATA_BYTES = 16 << 10;
    private static final int MAX_STEPS = 64;
    private static final List<BlockOperation> OPERATIONS = List.of(BlockOperation.values());
    private static final List<String> faults = new ArrayList<>();

    static {
        // One line per refused PDU is right for a server and too much here; what is logged as an error fails the test.
        Logger ours = (Logger) LoggerFactory.getLogger("io.holdfast");
        ours.setLevel(Level.ERROR);
        ours.setAdditive(false);
        AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                IThrowableProxy cause = event.getThrowableProxy();
                // The rig starves connections; that ends them, and is told.
                if (cause == null || !cause.getClassName().equals(OutOfMemoryError.class.getName())) {
                    faults.add(event.getFormattedMessage() + (cause == null ? "" : " " + print(cause)));
                }
            }
        };
        appender.start();
        ours.addAppender(appender);
    }

    private static String print(IThrowableProxy cause) {
        return cause.getClassName() + ": " + cause.getMessage() + " "
                + Arrays.stream(cause.getStackTraceElementProxyArray()).limit(8).toList();
    }

    // ------------------------------------------------------------------ seeds

    private static byte[] steps(Consumer<Script> what) {
        Script script = new Script();
        what.accept(script);
        return script.bytes.toByteArray();
    }

    private static final class Script {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private int tag = 0x100;

        Script step(int kind, int... operands) {
            bytes.write(kind);
            for (int operand : operands) {
                bytes.write(operand);
            }
            return this;
        }

        Script pdu(Pdu pdu) {
            if (pdu.header().initiatorTaskTag() == 0) {
                pdu.header().initiatorTaskTag(tag++);
            }
            bytes.write(PDU);
            bytes.writeBytes(pdu.header().bytes());
            bytes.write(pdu.data().length >> 8);
            bytes.write(pdu.data().length);
            bytes.writeBytes(pdu.data());
            return this;
        }

        Script command(int flags, String cdb, long expectedBytes, byte[] immediate) {
            return pdu(Pdu.command(Opcode.SCSI_COMMAND, flags, cdb, expectedBytes)
                    .with(immediate));
        }

        Script dataOut(int taskTag, int transferTag, int dataSn, int offset, byte[] data) {
            Pdu pdu = Pdu.of(Opcode.DATA_OUT, BasicHeader.FINAL).with(data);
            pdu.header()
                    .initiatorTaskTag(taskTag)
                    .targetTransferTag(transferTag)
                    .dataSn(dataSn)
                    .bufferOffset(offset);
            return pdu(pdu);
        }

        Script management(int function, int referencedTag) {
            Pdu pdu = Pdu.of(Opcode.TASK_MANAGEMENT_REQUEST, BasicHeader.FINAL | function)
                    .immediate();
            pdu.header().putInt(20, referencedTag);
            return pdu(pdu);
        }
    }

    static Stream<byte[]> seeds() {
        byte[] block = new byte[512];
        return Stream.of(
                steps(s -> s.command(BasicHeader.READ, "28 00 00000000 00 0008 00", 4096, Pdu.NO_DATA)),
                steps(s -> s.command(BasicHeader.WRITE, "2a 00 00000001 00 0001 00", 512, block)
                        .command(BasicHeader.READ, "88 00 0000000000000001 00000001 00 00", 512, Pdu.NO_DATA)),
                // Data that are written while they come, and a task that ends in their middle.
                steps(s -> s.command(BasicHeader.WRITE, "2a 00 00000001 00 0080 00", 65536, new byte[32768])
                        .dataOut(0x100, 0, 0, 32768, new byte[8192])
                        .management(1, 0x100)
                        .dataOut(0x100, 0, 1, 40960, new byte[24576])),
                steps(s -> s.command(BasicHeader.WRITE, "2a 00 00000001 00 0002 00", 1024, Pdu.NO_DATA)
                        .dataOut(0x100, 1, 0, 0, new byte[1024])
                        .dataOut(0x100, 0, 0, 0, new byte[1024])),
                steps(s -> s.step(HOLD, 1)
                        .command(BasicHeader.WRITE, "2a 00 00000001 00 0001 00", 512, block)
                        .management(1, 0x100)
                        .step(RELEASE)),
                steps(s -> s.step(HOLD, 0)
                        .command(BasicHeader.READ, "28 00 00000000 00 0008 00", 4096, Pdu.NO_DATA)
                        .step(OTHER_CONNECTION)
                        .command(BasicHeader.WRITE, "2a 00 00000001 00 0001 00", 512, block)
                        .management(5, 0)
                        .step(ADVANCE, 31)
                        .step(RELEASE)),
                steps(s -> s.pdu(Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).with(new byte[] {1, 2, 3, 4}))
                        .pdu(Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL).with("SendTargets=All"))
                        .pdu(Pdu.of(Opcode.LOGOUT_REQUEST, BasicHeader.FINAL))),
                steps(s -> s.step(STARVE)
                        .command(BasicHeader.READ, "28 00 00000000 00 0800 00", 1 << 20, Pdu.NO_DATA)
                        .step(STARVE)
                        .step(RAW, 4, 1, 2, 3, 4)),
                steps(s -> s.management(2, -1).management(6, -1).management(7, -1)),
                steps(s -> s.command(BasicHeader.WRITE, "42 00 00000000 00 0018 00", 24, new byte[24])
                        .command(BasicHeader.READ, "12 00 00 00ff 00", 255, Pdu.NO_DATA)
                        .step(CLOSE)));
    }

    // ------------------------------------------------------------------ the fuzz test

    @MethodSource("seeds")
    @FuzzTest
    void shouldKeepItsStateWhateverComes(byte[] input) {
        faults.clear();
        try (IscsiRig rig = new IscsiRig()) {
            TestInitiator bystander = rig.connect();
            bystander.name = "iqn.2026-11.io.holdfast.test:bystander";
            bystander.login();
            Subject subject = new Subject(rig);
            ByteBuffer in = ByteBuffer.wrap(input);
            for (int i = 0; i < MAX_STEPS && in.hasRemaining(); i++) {
                subject.step(in);
            }
            rig.starved = false;
            rig.disk.release();
            rig.pump();
            if (!bystander.closedByTarget()) { // a target reset ends its session too
                Pdu ping = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate();
                bystander.send(bystander.numbered(ping));
                Pdu answer = bystander.next();
                while (answer.header().opcode() != Opcode.NOP_IN
                        || answer.header().initiatorTaskTag() != ping.header().initiatorTaskTag()) {
                    answer = bystander.next();
                }
            }
        }
        assertThat(faults).as("logged as errors").isEmpty();
    }

    /** Two connections of one initiator, made when they are first used. */
    private static final class Subject {
        private final IscsiRig rig;
        private final @Nullable TestInitiator[] connections = new TestInitiator[2];
        private int current;

        Subject(IscsiRig rig) {
            this.rig = rig;
        }

        private TestInitiator initiator() {
            TestInitiator initiator = connections[current];
            if (initiator == null || initiator.closedByTarget()) {
                initiator = rig.connect();
                initiator.isid = current == 0 ? TestInitiator.LINUX_ISID : TestInitiator.LIBISCSI_ISID;
                boolean starved = rig.starved;
                rig.starved = false;
                initiator.login();
                rig.starved = starved;
                connections[current] = initiator;
            }
            return initiator;
        }

        void step(ByteBuffer in) {
            switch ((in.get() & 0xff) % KINDS) {
                case PDU -> pdu(in, true);
                case PDU_AS_IT_IS -> pdu(in, false);
                case RAW -> {
                    byte[] raw = new byte[Math.min(in.hasRemaining() ? in.get() & 0xff : 0, in.remaining())];
                    in.get(raw);
                    initiator().sendRaw(raw);
                }
                case HOLD -> rig.disk.hold(OPERATIONS.get(operand(in) % OPERATIONS.size()));
                case RELEASE -> rig.disk.release();
                case ADVANCE -> rig.advanceSeconds(operand(in) % 64);
                case OTHER_CONNECTION -> current = 1 - current;
                case STARVE -> rig.starved = !rig.starved;
                default -> {
                    initiator().close();
                    connections[current] = null;
                }
            }
            rig.pump();
        }

        private static int operand(ByteBuffer in) {
            return in.hasRemaining() ? in.get() & 0xff : 0;
        }

        private void pdu(ByteBuffer in, boolean inOrder) {
            if (in.remaining() < BasicHeader.BYTES + 2) {
                in.position(in.limit());
                return;
            }
            TestInitiator initiator = initiator();
            BasicHeader header = new BasicHeader();
            in.get(header.bytes());
            byte[] data = new byte[Math.min(in.getShort() & 0xffff, Math.min(MAX_DATA_BYTES, in.remaining()))];
            in.get(data);
            header.bytes()[4] = 0; // additional headers are the decoder's own matter
            header.dataSegmentBytes(data.length);
            Pdu pdu = new Pdu(header, data);
            initiator.send(inOrder && header.opcode() != Opcode.DATA_OUT ? initiator.numbered(pdu) : pdu);
            initiator.closedByTarget(); // takes what has come: all of it must be iSCSI
        }
    }
}
