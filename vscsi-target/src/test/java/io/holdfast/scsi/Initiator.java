package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One nexus at work on one device server. Each command must be completed exactly once. */
final class Initiator {
    static final UUID UNIT_UUID = UUID.fromString("0192f0c4-7a3b-4c5d-9e6f-0123456789ab");

    private final DeviceServer server;
    private final LunView lunView;
    private final Nexus nexus;
    private final TestLane lane = TestLane.direct();

    private Initiator(DeviceServer server, LunView lunView, String name) {
        this(server, lunView, new Nexus(portName(name), "iqn.2026-11.io.holdfast:disk,t,0x0001", 1));
    }

    private Initiator(DeviceServer server, LunView lunView, Nexus nexus) {
        this.server = server;
        this.lunView = lunView;
        this.nexus = nexus;
    }

    /** The name of the port of the initiator with this name. */
    static String portName(String name) {
        return name + ",i,0x800000000001";
    }

    /** One of several initiators, at one of several target ports, that has heard the unit attention of its first command. */
    static Initiator at(DeviceServer server, String name, int relativeTargetPort) {
        return through(server, new Nexus(portName(name), "iqn.2026-11.io.holdfast:disk", relativeTargetPort));
    }

    static Initiator through(DeviceServer server, Nexus nexus) {
        Initiator initiator = new Initiator(server, new FixedLunView(Map.of(0, server)), nexus);
        initiator.send(ScsiCommand.TEST_UNIT_READY);
        return initiator;
    }

    /** An initiator that has heard the unit attention of its first command. */
    static Initiator of(DeviceServer server) {
        Initiator initiator = stranger(server);
        initiator.send(ScsiCommand.TEST_UNIT_READY);
        return initiator;
    }

    /** An initiator that has not sent a command yet. */
    static Initiator stranger(DeviceServer server) {
        return new Initiator(server, new FixedLunView(Map.of(0, server)), "iqn.2026-11.example:guest");
    }

    static Initiator seeing(DeviceServer server, LunView lunView) {
        return new Initiator(server, lunView, "iqn.2026-11.example:guest");
    }

    static LogicalUnit unit(TestBackend backend) {
        return LogicalUnit.builder(LogicalUnitIdentity.of(UNIT_UUID), backend).build();
    }

    Nexus nexus() {
        return nexus;
    }

    Answer send(ScsiCommand command) {
        return send(CdbBuilder.cdb(command).bytes());
    }

    Answer send(CdbBuilder cdb) {
        return send(cdb.bytes());
    }

    Answer send(byte[] cdb) {
        return send(cdb, null);
    }

    Answer send(CdbBuilder cdb, byte @Nullable [] dataOut) {
        return send(cdb.bytes(), dataOut);
    }

    Answer send(byte[] cdb, byte @Nullable [] dataOut) {
        TestTask task = new TestTask(nexus, lunView, lane);
        task.start(server, cdb, dataOut);
        assertThat(task.completions()).as("completions").isEqualTo(1);
        return task.answer();
    }
}
