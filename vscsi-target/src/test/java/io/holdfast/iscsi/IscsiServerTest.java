package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.block.FileBackend;
import io.holdfast.block.FileOptions;
import io.holdfast.block.IoPool;
import io.holdfast.block.MemoryBackend;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.net.Addresses;
import io.holdfast.scsi.FixedLunView;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole target on sockets and a file, both ways of doing I/O. */
@Timeout(60)
class IscsiServerTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int BLOCKS = 32768;
    private static final int ORDERED = 2;

    @TempDir
    private Path dir;

    /** A server with one disk; closing it must leave nothing behind. */
    private final class Target implements AutoCloseable {
        final IoPool pool = new IoPool(2, 1000);
        final FileBackend file;
        final EventLoops loops;
        final IscsiServer server;

        Target(IoWay way, boolean nativeCalls) throws Exception {
            assumeTrue(way.obstacle().isEmpty(), () -> "no " + way.label() + " I/O here: " + way.obstacle());
            file = FileBackend.open(dir.resolve("disk.img"), FileOptions.sized(BLOCKS * 512L));
            if (nativeCalls) {
                file.bindNative();
            }
            LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(new UUID(3, 4)), file)
                    .build();
            loops = EventLoops.start(way, 2, 50, pool);
            server = IscsiServer.start(
                    List.of(ANY_PORT),
                    loops,
                    new IscsiRig.OneTarget(new IscsiTarget(IscsiRig.TARGET, 1, new FixedLunView(Map.of(0, unit)))),
                    SessionEvents.NONE,
                    IscsiSettings.DEFAULT);
        }

        TestInitiator connect() throws IOException {
            return new TestInitiator(new SocketWire(server.portals().get(0)));
        }

        @Override
        public void close() throws IOException {
            assertThat(server.stop(Duration.ofSeconds(10)))
                    .as("every command has ended")
                    .isTrue();
            loops.close();
            assertThat(pool.close(Duration.ofSeconds(10))).isTrue();
            file.close();
        }
    }

    @Test
    void shouldBeAnotherTargetPortThroughThePortalsOfAnotherGroup() throws Exception {
        MemoryBackend disk = new MemoryBackend(1 << 20);
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(new UUID(3, 4)), disk)
                .targetPorts(List.of(1, 9))
                .build();
        IscsiTarget target = new IscsiTarget(IscsiRig.TARGET, 1, new FixedLunView(Map.of(0, unit)));
        IoPool pool = new IoPool(1, 10);
        EventLoops loops = EventLoops.start(IoWay.PORTABLE, 1, 0, pool);
        IscsiServer server = IscsiServer.start(
                List.of(
                        new IscsiServer.Portal(ANY_PORT, new IscsiRig.OneTarget(target)),
                        new IscsiServer.Portal(ANY_PORT, new IscsiRig.OneTarget(target.in(9)))),
                loops,
                SessionEvents.NONE,
                IscsiSettings.DEFAULT);
        try {
            assertThat(portOf(server, 0)).isEqualTo("1 iqn.2026-11.io.holdfast:disk,t,0x0001");
            assertThat(portOf(server, 1)).isEqualTo("9 iqn.2026-11.io.holdfast:disk,t,0x0009");
        } finally {
            assertThat(server.stop(Duration.ofSeconds(10))).isTrue();
            loops.close();
            pool.close();
        }
    }

    private static boolean canListenAt(InetSocketAddress address) {
        try (ServerSocket socket = new ServerSocket(0, 1, address.getAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void shouldTellOfEveryPortalWithItsGroupThatCanBeReachedFromWhereTheInitiatorCame() throws Exception {
        MemoryBackend disk = new MemoryBackend(1 << 20);
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(new UUID(3, 4)), disk)
                .targetPorts(List.of(1, 9))
                .build();
        IscsiTarget target = new IscsiTarget(IscsiRig.TARGET, 1, new FixedLunView(Map.of(0, unit)));
        InetSocketAddress everywhere = Addresses.parseNumeric("0.0.0.0:0").orElseThrow();
        IoPool pool = new IoPool(1, 10);
        EventLoops loops = EventLoops.start(IoWay.PORTABLE, 1, 0, pool);
        List<IscsiServer.Portal> portals = new ArrayList<>(List.of(
                new IscsiServer.Portal(ANY_PORT, new IscsiRig.OneTarget(target)),
                new IscsiServer.Portal(everywhere, new IscsiRig.OneTarget(target.in(9)))));
        InetSocketAddress six = Addresses.parseNumeric("[::1]:0").orElseThrow();
        boolean haveSix = canListenAt(six);
        if (haveSix) {
            portals.add(new IscsiServer.Portal(six, new IscsiRig.OneTarget(target.in(9))));
        }
        IscsiServer server = IscsiServer.start(portals, loops, SessionEvents.NONE, IscsiSettings.DEFAULT);
        try {
            List<InetSocketAddress> at = server.portals();
            String first = Addresses.print(at.get(0)) + ",1";
            String second = "127.0.0.1:" + at.get(1).getPort() + ",9";
            List<String> third = haveSix ? List.of("[::1]:" + at.get(2).getPort() + ",9") : List.of();
            assertThat(addressesToldAt(at.get(0)))
                    .startsWith(first, second)
                    .endsWith(third.toArray(new String[0]))
                    .hasSize(2 + third.size());
            assertThat(addressesToldAt(
                            Addresses.parseNumeric("127.0.0.1:" + at.get(1).getPort())
                                    .orElseThrow()))
                    .as("the one he came to first")
                    .startsWith(second, first)
                    .endsWith(third.toArray(new String[0]))
                    .hasSize(2 + third.size());
            assumeTrue(haveSix, "skipped: no IPv6 here");
            assertThat(addressesToldAt(at.get(2)))
                    .startsWith(third.get(0), first)
                    .allSatisfy(told -> {
                        String address = told.substring(0, told.indexOf(','));
                        assertThat(addressesToldAt(
                                        Addresses.parseNumeric(address).orElseThrow()))
                                .as("what is told serves")
                                .contains(told);
                    });
        } finally {
            assertThat(server.stop(Duration.ofSeconds(10))).isTrue();
            loops.close();
            pool.close();
        }
    }

    private static List<String> addressesToldAt(InetSocketAddress portal) throws IOException {
        TestInitiator initiator = new TestInitiator(new SocketWire(portal)).discovery();
        Pdu text = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL).with("SendTargets=All");
        text.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(text));
        String answer = new String(initiator.expect(Opcode.TEXT_RESPONSE).data(), StandardCharsets.UTF_8);
        initiator.close();
        List<String> pairs = List.of(answer.split("\0"));
        assertThat(pairs.get(0)).isEqualTo("TargetName=" + IscsiRig.TARGET);
        return pairs.stream()
                .skip(1)
                .map(pair -> pair.substring("TargetAddress=".length()))
                .toList();
    }

    /** The target port that VPD page 83h names to whoever logs in at a portal. */
    private static String portOf(IscsiServer server, int portal) throws IOException {
        TestInitiator initiator =
                new TestInitiator(new SocketWire(server.portals().get(portal))).login();
        initiator.send(
                initiator.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.READ, "12 01 83 0400 00", 1024)));
        byte[] page = initiator.expect(Opcode.DATA_IN).data();
        initiator.close();
        String found = "";
        for (int at = 4; at < page.length; at += 4 + (page[at + 3] & 0xff)) {
            if (page[at + 1] == 0x14) {
                found = ByteBuffer.wrap(page).getShort(at + 6) + " ";
            } else if (page[at + 1] == 0x18) {
                found += new String(page, at + 4, page[at + 3], StandardCharsets.UTF_8).replace("\0", "");
            }
        }
        return found;
    }

    private static byte[] random(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldReadBackWhatWasWrittenInSizesSmallAndLarge(IoWay way) throws Exception {
        try (Target target = new Target(way, true)) {
            TestInitiator initiator = target.connect().login("MaxRecvDataSegmentLength=65536");
            initiator.ready();
            for (int blocks : new int[] {1, 3, 8, 255, 2048, 8192}) {
                byte[] data = random(blocks * 512, blocks);
                initiator.writeAll(7, data);
                assertThat(initiator.readAll(7, blocks)).as("%d blocks", blocks).isEqualTo(data);
            }
        }
        assertThat(Files.size(dir.resolve("disk.img"))).isEqualTo(BLOCKS * 512L);
    }

    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldServeBeforeNativeCallsAreBoundAndAfterwards(IoWay way) throws Exception {
        try (Target target = new Target(way, false)) {
            TestInitiator initiator = target.connect().login();
            initiator.ready();
            byte[] data = random(100 * 512, 1);
            initiator.writeAll(0, data);
            assertThat(initiator.readAll(0, 100)).isEqualTo(data);
            target.file.bindNative();
            assertThat(initiator.readAll(0, 100)).isEqualTo(data);
        }
    }

    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldAnswerAFullWindowOfReadsWithTheRightData(IoWay way) throws Exception {
        try (Target target = new Target(way, true)) {
            TestInitiator initiator = target.connect().login("DataDigest=CRC32C", "HeaderDigest=CRC32C");
            initiator.ready();
            byte[] data = random(TaskSet.COMMAND_WINDOW * 4096, 2);
            for (int at = 0; at < data.length; at += 65536) {
                initiator.writeAll(at / 512, Arrays.copyOfRange(data, at, at + 65536));
            }
            Pdu[] reads = new Pdu[TaskSet.COMMAND_WINDOW];
            Arrays.setAll(reads, i -> initiator.read(i * 8L, 8));
            initiator.send(reads);
            int firstTag = reads[0].header().initiatorTaskTag();
            for (int i = 0; i < reads.length; i++) {
                Pdu answer = initiator.expect(Opcode.DATA_IN);
                int which = answer.header().initiatorTaskTag() - firstTag;
                assertThat(answer.data()).isEqualTo(Arrays.copyOfRange(data, which * 4096, which * 4096 + 4096));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldNotReadFromAnInitiatorThatDoesNotReadItsAnswers(IoWay way) throws Exception {
        try (Target target = new Target(way, true)) {
            TestInitiator initiator = target.connect().login("MaxRecvDataSegmentLength=262144");
            initiator.ready();
            int blocks = 8192; // 4 MiB each, half a gigabyte in all
            for (int i = 0; i < TaskSet.COMMAND_WINDOW; i++) {
                initiator.send(initiator.read(0, blocks));
            }
            TestInitiator other = target.connect();
            other.name = TestInitiator.NAME + ":other";
            other.login().ready();
            assertThat(other.readAll(0, 8)).as("others are served").hasSize(4096);
            for (int done = 0; done < TaskSet.COMMAND_WINDOW; ) {
                if (initiator.expect(Opcode.DATA_IN).header().flag(BasicHeader.STATUS)) {
                    done++;
                }
            }
        }
    }

    /** With two event loops, connections of one session begin on different ones. */
    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldServeASessionOfSeveralConnectionsInOrder(IoWay way) throws Exception {
        try (Target target = new Target(way, true)) {
            for (int round = 0; round < 4; round++) {
                TestInitiator leading = target.connect();
                leading.isid += round;
                leading.login("MaxConnections=4").ready();
                List<TestInitiator> all = new ArrayList<>(List.of(leading));
                for (int id = 1; id < 4; id++) {
                    all.add(target.connect().joining(leading, id).login());
                }
                byte[] last = new byte[0];
                List<Pdu> commands = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    last = new byte[8192];
                    new Random(i).nextBytes(last);
                    Pdu write = leading.write(0, 16, last);
                    write.header().bytes()[1] |= ORDERED;
                    commands.add(write);
                }
                for (int i = 99; i >= 0; i--) {
                    all.get(i % 4).send(commands.get(i));
                }
                for (int i = 0; i < 100; i++) {
                    all.get(i % 4).expectStatus(commands.get(i).header().initiatorTaskTag(), TestInitiator.GOOD);
                }
                TestInitiator reader = all.get(round);
                reader.cmdSn = leading.cmdSn;
                assertThat(reader.readAll(0, 16)).isEqualTo(last);
                all.forEach(TestInitiator::close);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldNoticeThatAConnectionHasEndedThatWasMovedToItsSession(IoWay way) throws Exception {
        try (Target target = new Target(way, true)) {
            TestInitiator leading = target.connect().login("MaxConnections=2").ready();
            for (int round = 0; round < 8; round++) {
                TestInitiator second = target.connect().joining(leading, 7).login();
                second.cmdSn = leading.cmdSn;
                second.readAll(0, 1);
                leading.cmdSn = second.cmdSn;
                second.close();
                // No more than two: the next one gets in only if this one is known to be gone, or replaced.
            }
            TestInitiator other = target.connect().joining(leading, 8);
            other.sendLogin();
            assertThat(other.expect(Opcode.LOGIN_RESPONSE).header().loginStatusClass())
                    .isIn(0, 2);
            leading.readAll(0, 1);
            leading.close();
        }
    }

    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldSayWhichPortalCannotBeHad(IoWay way) throws Exception {
        try (Target target = new Target(way, true)) {
            InetSocketAddress taken = target.server.portals().get(0);
            assertThatThrownBy(() -> IscsiServer.start(
                            List.of(ANY_PORT, taken),
                            target.loops,
                            new IscsiRig.OneTarget(new IscsiTarget(IscsiRig.TARGET, 1, new FixedLunView(Map.of()))),
                            SessionEvents.NONE,
                            IscsiSettings.DEFAULT))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot listen on " + Addresses.print(taken));
        }
    }

    @ParameterizedTest
    @EnumSource(IoWay.class)
    void shouldStopWhileInitiatorsAreConnected(IoWay way) throws Exception {
        Target target = new Target(way, true);
        TestInitiator idle = target.connect();
        TestInitiator session = target.connect().login();
        session.ready();
        target.close();
        idle.expectClosed();
        session.expect(Opcode.ASYNC_MESSAGE);
        session.expectClosed();
    }
}
