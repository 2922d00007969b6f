package io.holdfast.agent.portal;

import static io.holdfast.agent.portal.WireInitiator.KERNEL_ISID;
import static io.holdfast.agent.portal.WireInitiator.LIBISCSI_ISID;
import static io.holdfast.agent.portal.WireInitiator.TARGET;
import static io.holdfast.agent.portal.WireInitiator.libiscsiKeys;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.holdfast.agent.watch.LogLines;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class PortalTest {
    private static final String QEMU = "iqn.2008-11.org.linux-kvm:web1";
    private static final InetSocketAddress SERVER = new InetSocketAddress(InetAddress.getLoopbackAddress(), 3260);
    private static final PortalLimits LIMITS = new PortalLimits(8, 2, 256 * 1024, 400, 300, 1 << 20);

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoop loop = group.next();
    private final List<String> led = new CopyOnWriteArrayList<>();
    private final AtomicInteger firstFailures = new AtomicInteger();
    private final AtomicInteger proofs = new AtomicInteger();
    private volatile boolean serverAnswers = true;
    private Portal portal;

    @BeforeEach
    void open() throws IOException {
        open(Portal.Beginning.NEW);
    }

    private void open(Portal.Beginning beginning) throws IOException {
        portal = Portal.open(
                "web1",
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                OptionalInt.empty(),
                loop,
                this::prove,
                new Portal.Listener() {
                    @Override
                    public void ledToServer(String initiator, long isid, String target) {
                        led.add(initiator + " " + Long.toHexString(isid) + " " + target);
                    }

                    @Override
                    public void standInAnswered() {
                        firstFailures.incrementAndGet();
                    }
                },
                LIMITS,
                beginning);
    }

    @AfterEach
    void close() {
        portal.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    // ------------------------------------------------------------------ while the server serves

    @Test
    void shouldRedirectALoginToTheServer() throws Exception {
        serve(SERVER);
        try (WireInitiator qemu = connect()) {
            qemu.sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));

            WireInitiator.Pdu answer = qemu.receive();

            assertThat(answer.header().opcode()).isEqualTo(Opcode.LOGIN_RESPONSE);
            assertThat(answer.header().loginStatusClass()).isEqualTo(1);
            assertThat(answer.header().loginStatusDetail()).isEqualTo(1);
            assertThat(answer.header().isid()).isEqualTo(LIBISCSI_ISID);
            assertThat(answer.header().initiatorTaskTag()).isEqualTo(7);
            assertThat(answer.keys()).containsEntry("TargetAddress", "127.0.0.1:3260");
            assertThat(led).containsExactly(QEMU + " 801234560000 " + TARGET);
            assertThat(proofs).hasValue(1);
        }
    }

    @Test
    void shouldHangUpOnAnInitiatorThatDoesNotFollowTheRedirect() throws Exception {
        serve(SERVER);
        try (WireInitiator qemu = connect()) {
            qemu.sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));
            qemu.receive();
            assertThat(qemu.hungUp()).isTrue();
        }
    }

    @Test
    void shouldNotRedirectToAServerThatDoesNotAnswer() throws Exception {
        serve(SERVER);
        knownToPortal();
        serverAnswers = false;
        try (WireInitiator qemu = connect()) {
            qemu.login(LIBISCSI_ISID + 1, libiscsiKeys(QEMU));
            assertThat(led).hasSize(1);
        }
    }

    @Test
    void shouldEndADiscoverySessionThatIsNotUsed() throws Exception {
        serve(SERVER);
        try (WireInitiator initiator = connect()) {
            initiator.login(KERNEL_ISID, Map.of("InitiatorName", "iqn.a:b", "SessionType", "Discovery"));

            assertThat(initiator.hungUp()).isTrue();
        }
    }

    @Test
    void shouldEndALoginThatStopsHalfWay() throws Exception {
        serve(SERVER);
        try (WireInitiator initiator = connect()) {
            BasicHeader half = initiator.request(Opcode.LOGIN_REQUEST, BasicHeader.CONTINUE | 1 << 2);
            half.isidAndTsih(KERNEL_ISID, 0);
            initiator.send(
                    half,
                    "InitiatorName=iqn.a:b\0SessionType=Discovery\0"
                            .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            initiator.receive();

            assertThat(initiator.hungUp()).isTrue();
        }
    }

    @Test
    void shouldSayOfItselfThePortalGroupThatTheServerSays() throws Exception {
        onLoop(() -> {
            portal.group("", 7);
            return null;
        });
        serve(SERVER);
        knownToPortal();
        try (WireInitiator initiator = connect()) {
            initiator.login(KERNEL_ISID, Map.of("InitiatorName", "iqn.a:b", "SessionType", "Discovery"));
            BasicHeader text = initiator.request(Opcode.TEXT_REQUEST, BasicHeader.FINAL);
            text.targetTransferTag(BasicHeader.NO_TAG);
            initiator.send(text, "SendTargets=All\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            assertThat(initiator.receive().keys())
                    .containsEntry(
                            "TargetAddress", "127.0.0.1:" + portal.address().getPort() + ",7");
        }
        standIn();
        try (WireInitiator qemu = connect()) {
            assertThat(qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU)).keys()).containsEntry("TargetPortalGroupTag", "7");
        }
    }

    @Test
    void shouldAnswerDiscoveryWithItsOwnAddress() throws Exception {
        serve(SERVER);
        try (WireInitiator initiator = connect()) {
            initiator.login(KERNEL_ISID, Map.of("InitiatorName", "iqn.a:b", "SessionType", "Discovery"));
            BasicHeader text = initiator.request(Opcode.TEXT_REQUEST, BasicHeader.FINAL);
            text.targetTransferTag(BasicHeader.NO_TAG);
            initiator.send(text, "SendTargets=All\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII));

            WireInitiator.Pdu answer = initiator.receive();

            assertThat(answer.header().opcode()).isEqualTo(Opcode.TEXT_RESPONSE);
            assertThat(answer.keys())
                    .containsEntry("TargetName", TARGET)
                    .containsEntry(
                            "TargetAddress", "127.0.0.1:" + portal.address().getPort() + ",1");
        }
    }

    // ------------------------------------------------------------------ while it is away

    @Test
    void shouldHoldAFirstLoginUntilTheServerServesAndSayThatItDoes() throws Exception {
        try (LogLines log = LogLines.of(Portal.class);
                WireInitiator qemu = connect()) {
            qemu.sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));
            assertThat(qemu.unanswered(100)).isTrue();
            assertThat(log.lines())
                    .containsExactly("vm web1: " + QEMU
                            + " logs in while the server is away: the login waits until it serves, and QEMU with it");

            serve(SERVER);

            assertThat(qemu.receive().header().loginStatusClass()).isEqualTo(1);
        }
    }

    @Test
    void shouldHoldAKernelInitiatorAlthoughItWasHereBefore() throws Exception {
        serve(SERVER);
        knownToPortal();
        standIn();
        try (WireInitiator kernel = connect()) {
            kernel.sendLogin(KERNEL_ISID, libiscsiKeys(QEMU));
            assertThat(kernel.unanswered(100)).isTrue();
        }
    }

    @Test
    void shouldHoldRatherThanLetTheGuestSeeAnError() throws Exception {
        serve(SERVER);
        knownToPortal();
        onLoop(() -> {
            portal.errorsReachGuest(true);
            portal.standIn();
            return null;
        });
        try (WireInitiator qemu = connect()) {
            qemu.sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));
            assertThat(qemu.unanswered(100)).isTrue();

            serve(SERVER);

            assertThat(qemu.receive().header().loginStatusClass()).isEqualTo(1);
        }
    }

    @Test
    void shouldHoldAsFewAsTheLimit() throws Exception {
        List<WireInitiator> held = new ArrayList<>();
        for (int i = 0; i < LIMITS.held(); i++) {
            WireInitiator waiting = connect();
            waiting.sendLogin(LIBISCSI_ISID + i, libiscsiKeys(QEMU));
            held.add(waiting);
        }
        await().until(() ->
                onLoop(() -> portal.connections().filter(PortalConnection::held).count() == LIMITS.held()));
        try (WireInitiator more = connect()) {
            more.sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));
            assertThat(more.hungUp()).isTrue();
        }
        for (WireInitiator waiting : held) {
            waiting.close();
        }
    }

    @Test
    void shouldStandInForAnInitiatorThatWasHereBefore() throws Exception {
        try (WireInitiator qemu = standingIn(libiscsiKeys(QEMU))) {
            int tag = qemu.read10();

            WireInitiator.Pdu answer = qemu.receive();

            assertThat(answer.header().opcode()).isEqualTo(Opcode.SCSI_RESPONSE);
            assertThat(answer.header().initiatorTaskTag()).isEqualTo(tag);
            assertThat(answer.header().scsiStatus()).isEqualTo(0x02);
            // SenseLength 18, fixed format, HARDWARE ERROR, 44h/00h.
            assertThat(answer.data()).hasSize(20);
            assertThat(answer.data()[1]).isEqualTo((byte) 18);
            assertThat(answer.data()[2]).isEqualTo((byte) 0x70);
            assertThat(answer.data()[4]).isEqualTo((byte) 4);
            assertThat(answer.data()[14]).isEqualTo((byte) 0x44);
            assertThat(firstFailures).hasValue(1);

            qemu.write10(new byte[65536]);
            assertThat(qemu.receive().header().scsiStatus()).isEqualTo(0x02);
            assertThat(firstFailures).hasValue(1);
        }
    }

    @Test
    void shouldStandInForTargetsThatQemuIsKnownToUse() throws Exception {
        onLoop(() -> {
            portal.targetsInUse(Set.of(TARGET));
            return null;
        });
        try (WireInitiator qemu = connect()) {
            qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
        }
    }

    @Test
    void shouldHoldAgainWhenQemuHasEnded() throws Exception {
        serve(SERVER);
        knownToPortal();
        standIn();
        onLoop(() -> {
            portal.forgetInitiators();
            return null;
        });
        try (WireInitiator qemu = connect()) {
            qemu.sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));
            assertThat(qemu.unanswered(100)).isTrue();
        }
    }

    @Test
    void shouldEchoTheDigestsThatAreOfferedAndComputeThem() throws Exception {
        Map<String, String> keys = libiscsiKeys(QEMU);
        keys.put("HeaderDigest", "CRC32C,None");
        keys.put("DataDigest", "CRC32C");
        try (WireInitiator qemu = standingIn(keys)) {
            qemu.write10(new byte[4095]);
            WireInitiator.Pdu answer = qemu.receive();
            assertThat(answer.header().scsiStatus()).isEqualTo(0x02);
        }
    }

    @Test
    void shouldAnswerKeysSanely() throws Exception {
        serve(SERVER);
        knownToPortal();
        standIn();
        try (WireInitiator qemu = connect()) {
            Map<String, String> keys = libiscsiKeys(QEMU);
            keys.put("AuthMethod", "CHAP,None");
            keys.put("X-com.example.odd", "1");
            Map<String, String> answer = qemu.login(LIBISCSI_ISID, keys).keys();
            assertThat(answer)
                    .containsEntry("AuthMethod", "None")
                    .containsEntry("TargetPortalGroupTag", "1")
                    .containsEntry("HeaderDigest", "None")
                    .containsEntry("MaxBurstLength", "262144")
                    .containsEntry("FirstBurstLength", "65536")
                    .containsEntry("ErrorRecoveryLevel", "0")
                    .containsEntry("X-com.example.odd", "NotUnderstood")
                    .doesNotContainKeys("InitiatorName", "TargetName", "SessionType", "InitiatorAlias");
        }
    }

    @Test
    void shouldAnswerNopTaskManagementAndLogout() throws Exception {
        try (WireInitiator qemu = standingIn(libiscsiKeys(QEMU))) {
            BasicHeader nop = qemu.request(Opcode.NOP_OUT, BasicHeader.FINAL);
            nop.targetTransferTag(BasicHeader.NO_TAG);
            qemu.send(nop, new byte[] {1, 2, 3});
            WireInitiator.Pdu pong = qemu.receive();
            assertThat(pong.header().opcode()).isEqualTo(Opcode.NOP_IN);
            assertThat(pong.header().initiatorTaskTag()).isEqualTo(nop.initiatorTaskTag());
            assertThat(pong.data()).containsExactly(1, 2, 3);

            qemu.send(qemu.request(Opcode.TASK_MANAGEMENT_REQUEST, BasicHeader.FINAL | 5), new byte[0]);
            assertThat(qemu.receive().header().opcode()).isEqualTo(Opcode.TASK_MANAGEMENT_RESPONSE);

            qemu.send(qemu.request(Opcode.LOGOUT_REQUEST, BasicHeader.FINAL), new byte[0]);
            assertThat(qemu.receive().header().opcode()).isEqualTo(Opcode.LOGOUT_RESPONSE);
            assertThat(qemu.hungUp()).isTrue();
        }
    }

    @Test
    void shouldCountStatSnAndExpCmdSnAsATargetDoes() throws Exception {
        try (WireInitiator qemu = standingIn(libiscsiKeys(QEMU))) {
            qemu.read10();
            BasicHeader first = qemu.receive().header();
            qemu.read10();
            BasicHeader second = qemu.receive().header();
            assertThat(second.statSn()).isEqualTo(first.statSn() + 1);
            assertThat(second.expCmdSn()).isEqualTo(first.expCmdSn() + 1);
            assertThat(second.maxCmdSn()).isGreaterThan(second.expCmdSn());
        }
    }

    @Test
    void shouldLetQemuComeBackAtOnceFromTheBeginningForTheAgentMayDie() throws Exception {
        serve(SERVER);
        knownToPortal();
        standIn();
        try (WireInitiator qemu = connect()) {
            qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));

            mayComeBackAtOnce(qemu);
        }
    }

    @Test
    void shouldSayFarewellWithTime2WaitZeroWhenItLetsGo() throws Exception {
        try (WireInitiator qemu = standingIn(libiscsiKeys(QEMU))) {
            serve(SERVER);
            int closed = onLoop(() -> portal.closeStandIns());

            assertThat(closed).isEqualTo(1);
            mayComeBackAtOnce(qemu);
            assertThat(qemu.hungUp()).isTrue();
        }
    }

    // ------------------------------------------------------------------ bad input

    @Test
    void shouldCloseOnGarbage() throws Exception {
        try (WireInitiator peer = connect()) {
            peer.sendRaw("GET / HTTP/1.1\r\nHost: portal.example.org:3270\r\nAccept: */*\r\n\r\n"
                    .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            assertThat(peer.hungUp()).isTrue();
        }
    }

    @Test
    void shouldCloseOnSilence() throws Exception {
        try (WireInitiator peer = connect()) {
            peer.sendRaw(new byte[20]);
            assertThat(peer.hungUp()).isTrue();
        }
    }

    @Test
    void shouldRefuseAPduOf16MiB() throws Exception {
        try (WireInitiator qemu = standingIn(libiscsiKeys(QEMU))) {
            BasicHeader huge = qemu.request(Opcode.DATA_OUT, BasicHeader.FINAL);
            huge.dataSegmentBytes(0xff_ffff);
            qemu.sendRaw(huge.bytes());
            assertThat(qemu.hungUp()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"no equals sign", "TargetName=x", "InitiatorName=iqn.a:b"})
    void shouldCloseOnALoginThatNamesNobodyOrNothing(String text) throws Exception {
        try (WireInitiator peer = connect()) {
            BasicHeader login = new BasicHeader().begin(Opcode.LOGIN_REQUEST, BasicHeader.FINAL | 1 << 2 | 3);
            peer.send(login, (text + "\0").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            assertThat(peer.hungUp()).isTrue();
        }
    }

    @Test
    void shouldTakeNoMoreConnectionsThanTheLimitAndServeTheOthers() throws Exception {
        List<WireInitiator> open = new ArrayList<>();
        serve(SERVER);
        for (int i = 0; i < LIMITS.connections(); i++) {
            open.add(connect());
        }
        await().until(() -> onLoop(() -> portal.connections().count() == LIMITS.connections()));
        try (WireInitiator more = connect()) {
            assertThat(more.hungUp()).isTrue();
        }
        open.get(0).sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));
        assertThat(open.get(0).receive().header().loginStatusClass()).isEqualTo(1);
        for (WireInitiator one : open) {
            one.close();
        }
    }

    @Test
    void shouldUnderstandALoginInSingleBytes() throws Exception {
        serve(SERVER);
        try (WireInitiator qemu = connect()) {
            BasicHeader login = new BasicHeader().begin(Opcode.LOGIN_REQUEST, BasicHeader.FINAL | 1 << 2 | 3);
            byte[] text = ("InitiatorName=" + QEMU + "\0TargetName=" + TARGET + "\0")
                    .getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            login.dataSegmentBytes(text.length);
            for (byte b : login.bytes()) {
                qemu.sendRaw(new byte[] {b});
            }
            byte[] padded = java.util.Arrays.copyOf(text, text.length + (-text.length & 3));
            for (byte b : padded) {
                qemu.sendRaw(new byte[] {b});
            }
            assertThat(qemu.receive().header().loginStatusClass()).isEqualTo(1);
        }
    }

    @Test
    void shouldNameTheAddressWhenItIsBusy() {
        assertThatThrownBy(() -> Portal.open(
                        "web2",
                        portal.address(),
                        OptionalInt.empty(),
                        loop,
                        this::prove,
                        null,
                        LIMITS,
                        Portal.Beginning.NEW))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("web2")
                .hasMessageContaining(":" + portal.address().getPort());
    }

    @Test
    void shouldStandInFromTheFirstMomentForAVmOfAnEarlierRun() throws Exception {
        portal.close();
        open(new Portal.Beginning(false, Set.of(TARGET)));
        try (WireInitiator qemu = connect()) {
            qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
            mayComeBackAtOnce(qemu);
            qemu.read10();

            assertThat(qemu.receive().header().scsiStatus()).isEqualTo(2);
        }
    }

    // ------------------------------------------------------------------ relay

    @Test
    void shouldRelayFromTheFirstMomentForAVmOfAnEarlierRun() throws Exception {
        portal.close();
        open(new Portal.Beginning(true, Set.of()));

        assertThat(onLoop(portal::relays)).isTrue();
    }

    @Test
    void shouldRelayDataBothWays() throws Exception {
        try (FakeTarget target = new FakeTarget()) {
            relay(target);
            try (WireInitiator qemu = connect()) {
                qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
                assertThat(target.logins).hasSize(1);
                assertThat(target.logins.get(0)).containsEntry("InitiatorName", QEMU);
                for (int i = 0; i < 50; i++) {
                    qemu.write10(new byte[i * 1000]);
                    assertThat(qemu.receive().header().scsiStatus()).isZero();
                }
                assertThat(led).hasSize(1);
            }
            await().until(() -> target.connections() == 0
                    || onLoop(() -> portal.connections().count() == 0));
        }
    }

    @Test
    void shouldFailWhatIsInFlightWhenARelayedServerDies() throws Exception {
        try (FakeTarget target = new FakeTarget()) {
            relay(target);
            try (WireInitiator qemu = connect()) {
                qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
                qemu.read10();
                int lastStatSn = qemu.receive().header().statSn();
                target.answersCommands = false;
                int first = qemu.read10();
                int second = qemu.write10(new byte[8192]);
                await().until(() -> target.commands.get() == 3);

                serverAnswers = false;
                target.die();

                WireInitiator.Pdu one = qemu.receive();
                assertThat(one.header().initiatorTaskTag()).isEqualTo(first);
                assertThat(one.header().scsiStatus()).isEqualTo(2);
                assertThat(one.header().statSn()).isEqualTo(lastStatSn + 1);
                assertThat(qemu.receive().header().initiatorTaskTag()).isEqualTo(second);
                assertThat(firstFailures).hasValue(1);

                qemu.read10();
                assertThat(qemu.receive().header().scsiStatus()).isEqualTo(2);

                assertThat(onLoop(() -> portal.closeStandIns())).isEqualTo(1);
                assertThat(qemu.receive().header().opcode()).isEqualTo(Opcode.ASYNC_MESSAGE);
                assertThat(qemu.hungUp()).isTrue();
            }
        }
    }

    @Test
    void shouldFailARequestThatComesInTheInstantOfTheLoss() throws Exception {
        try (FakeTarget target = new FakeTarget()) {
            relay(target);
            try (WireInitiator qemu = connect()) {
                qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
                qemu.read10();
                qemu.receive();
                serverAnswers = false;
                CountDownLatch bothHaveHappened = new CountDownLatch(1);
                loop.execute(() -> {
                    try {
                        bothHaveHappened.await(10, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });

                // The loop finds both at once, the end of the server's connection first.
                target.die();
                int tag = qemu.read10();
                bothHaveHappened.countDown();

                WireInitiator.Pdu answer = qemu.receive();
                assertThat(answer.header().initiatorTaskTag()).isEqualTo(tag);
                assertThat(answer.header().scsiStatus()).isEqualTo(2);
            }
        }
    }

    @Test
    void shouldFailOverARelayedSessionWhenTheWatchSaysThatTheServerIsSilent() throws Exception {
        try (FakeTarget target = new FakeTarget()) {
            relay(target);
            try (WireInitiator qemu = connect()) {
                qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
                target.answersCommands = false;
                qemu.read10();
                await().until(() -> target.commands.get() == 1);

                standIn();

                assertThat(qemu.receive().header().scsiStatus()).isEqualTo(2);
            }
        }
    }

    @Test
    void shouldFailACommandWhoseDataTheServerOnlyGotInPart() throws Exception {
        try (FakeTarget target = new FakeTarget()) {
            relay(target);
            try (WireInitiator qemu = connect()) {
                qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
                BasicHeader write = qemu.request(Opcode.SCSI_COMMAND, BasicHeader.FINAL | BasicHeader.WRITE);
                write.dataSegmentBytes(1000);
                qemu.sendRaw(write.bytes());
                qemu.sendRaw(new byte[400]);
                await().until(() -> target.connections() == 1);

                standIn();
                qemu.sendRaw(new byte[600]);

                WireInitiator.Pdu answer = qemu.receive();
                assertThat(answer.header().initiatorTaskTag()).isEqualTo(write.initiatorTaskTag());
                assertThat(answer.header().scsiStatus()).isEqualTo(2);
                qemu.read10();
                assertThat(qemu.receive().header().scsiStatus()).isEqualTo(2);
            }
        }
    }

    @Test
    void shouldHangUpWhenALivingServerDropsARelayedSession() throws Exception {
        try (FakeTarget target = new FakeTarget()) {
            relay(target);
            try (WireInitiator qemu = connect()) {
                qemu.login(LIBISCSI_ISID, libiscsiKeys(QEMU));
                target.die();
                assertThat(qemu.hungUp()).isTrue();
                assertThat(firstFailures).hasValue(0);
            }
        }
    }

    @Test
    void shouldFollowDigestsInARelayedSession() throws Exception {
        try (FakeTarget target = new FakeTarget()) {
            relay(target);
            Map<String, String> keys = libiscsiKeys(QEMU);
            try (WireInitiator qemu = connect()) {
                qemu.login(LIBISCSI_ISID, keys);
                qemu.digests(Digest.NONE, Digest.NONE);
                standIn();
                qemu.read10();
                assertThat(qemu.receive().header().scsiStatus()).isEqualTo(2);
            }
        }
    }

    // ------------------------------------------------------------------ builders

    private void prove(Consumer<Boolean> answer) {
        proofs.incrementAndGet();
        loop.execute(() -> answer.accept(serverAnswers));
    }

    private WireInitiator connect() throws IOException {
        return new WireInitiator(portal.address());
    }

    private void serve(InetSocketAddress server) throws Exception {
        onLoop(() -> {
            portal.serve(server, List.of(TARGET));
            return null;
        });
    }

    private void standIn() throws Exception {
        onLoop(() -> {
            portal.standIn();
            return null;
        });
    }

    private void relay(FakeTarget target) throws Exception {
        onLoop(() -> {
            portal.relayData();
            portal.serve(target.address(), List.of(TARGET));
            return null;
        });
    }

    private void knownToPortal() throws Exception {
        try (WireInitiator qemu = connect()) {
            qemu.sendLogin(LIBISCSI_ISID, libiscsiKeys(QEMU));
            qemu.receive();
        }
    }

    private WireInitiator standingIn(Map<String, String> keys) throws Exception {
        serve(SERVER);
        knownToPortal();
        standIn();
        WireInitiator qemu = connect();
        qemu.login(LIBISCSI_ISID, keys);
        mayComeBackAtOnce(qemu);
        return qemu;
    }

    private static void mayComeBackAtOnce(WireInitiator qemu) throws Exception {
        BasicHeader message = qemu.receive().header();
        assertThat(message.opcode()).isEqualTo(Opcode.ASYNC_MESSAGE);
        assertThat(message.asyncEvent()).isEqualTo(2);
        assertThat(message.getShort(40)).as("Time2Wait").isZero();
    }

    private <T> T onLoop(Callable<T> what) throws Exception {
        return loop.submit(what).get(10, TimeUnit.SECONDS);
    }
}
