package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A connection from its first byte to its last: login, keep-alive, order, digests, logout, stop, and nonsense. */
class SessionTest {
    private final IscsiRig rig = new IscsiRig();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    // ------------------------------------------------------------------ login

    @Test
    void shouldGiveTheSessionAHandleOnlyWhenItExists() {
        TestInitiator initiator = rig.connect();
        initiator.send(initiator.loginRequest(
                LoginNegotiation.SECURITY,
                LoginNegotiation.OPERATIONAL,
                "InitiatorName=" + TestInitiator.NAME,
                "TargetName=" + IscsiRig.TARGET,
                "AuthMethod=None"));
        Pdu first = initiator.expect(Opcode.LOGIN_RESPONSE);
        assertThat(first.header().tsih()).isZero();
        assertThat(first.header().isid()).isEqualTo(TestInitiator.LINUX_ISID);
        initiator.send(initiator.loginRequest(LoginNegotiation.OPERATIONAL, LoginNegotiation.FULL_FEATURE));
        Pdu second = initiator.expect(Opcode.LOGIN_RESPONSE);
        assertThat(second.header().tsih()).isNotZero();
        assertThat(second.header().statSn()).isEqualTo(first.header().statSn() + 1);
        assertThat(second.header().maxCmdSn() - second.header().expCmdSn()).isEqualTo(TaskSet.COMMAND_WINDOW - 1);
    }

    @Test
    void shouldTellLibiscsiThatItMayComeBackAtOnceAndNobodyElse() {
        TestInitiator libiscsi = rig.connect();
        libiscsi.isid = TestInitiator.LIBISCSI_ISID;
        libiscsi.login();
        Pdu leave = libiscsi.expect(Opcode.ASYNC_MESSAGE);
        assertThat(leave.header().asyncEvent()).isEqualTo(2);
        assertThat(leave.header().getShort(40)).as("Time2Wait").isZero();
        rig.connect().login().expectNothing();
    }

    @Test
    void shouldCloseAConnectionThatDoesNotLogInInTime() {
        TestInitiator silent = rig.connect();
        rig.advanceSeconds(IscsiConnection.LOGIN_LIMIT_SECONDS - 1);
        silent.expectNothing();
        rig.advanceSeconds(2);
        silent.expectClosed();
    }

    @Test
    void shouldTellOfALoginThatIsRefusedAgainAndAgainOnce() {
        for (int i = 0; i < 5; i++) {
            rig.connect().sendLogin("TargetName=iqn.2026-11.io.holdfast:none");
            rig.pump();
        }
        assertThat(rig.events).hasSize(5);
        assertThat(rig.events.get(0))
                .startsWith("refused 0 login of '" + TestInitiator.NAME + "' from ")
                .contains("no such target");
        assertThat(rig.events.subList(1, 5)).allMatch(event -> event.startsWith("refused -1 "));
    }

    @Test
    void shouldForgetAConnectionThatEndedBeforeItsLogin() {
        TestInitiator hasty = rig.connect();
        assertThat(rig.schedules()).as("the limit of its login").isTrue();
        hasty.close();
        assertThat(rig.schedules()).isFalse();
    }

    @Test
    void shouldAskASilentInitiatorAndKeepItWhileItAnswers() {
        TestInitiator initiator = rig.connect().login();
        int period = IscsiSettings.DEFAULT.keepAliveSeconds();
        rig.advanceSeconds(period - 1);
        initiator.expectNothing();
        for (int i = 0; i < 5; i++) {
            rig.advanceSeconds(period + 1);
            Pdu ping = initiator.expect(Opcode.NOP_IN);
            assertThat(ping.header().initiatorTaskTag()).isEqualTo(BasicHeader.NO_TAG);
            Pdu answer = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate();
            answer.header()
                    .initiatorTaskTag(BasicHeader.NO_TAG)
                    .targetTransferTag(ping.header().targetTransferTag())
                    .cmdSn(initiator.cmdSn);
            initiator.send(answer);
            rig.advanceSeconds(period);
            initiator.expectNothing();
        }
    }

    @Test
    void shouldEndASessionThatDoesNotAnswer() {
        TestInitiator initiator = rig.connect().login();
        rig.advanceSeconds(IscsiSettings.DEFAULT.keepAliveSeconds());
        initiator.expect(Opcode.NOP_IN);
        rig.advanceSeconds(IscsiSettings.DEFAULT.keepAliveSeconds());
        initiator.expectClosed();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
        assertThat(rig.schedules()).as("nothing is kept of it").isFalse();
    }

    @Test
    void shouldNotAskAnInitiatorThatIsBusy() {
        TestInitiator initiator = rig.connect().login().ready();
        for (int i = 0; i < 10; i++) {
            rig.advanceSeconds(IscsiSettings.DEFAULT.keepAliveSeconds() - 1);
            initiator.readAll(0, 1);
        }
    }

    // ------------------------------------------------------------------ how many

    @Test
    void shouldLetTheOldestVisitorGoForANewOne() {
        TestInitiator oldest = rig.connect();
        TestInitiator member = rig.connect().login();
        TestInitiator second = rig.connect();
        for (int i = 0; i < ConnectionLimits.MAX_VISITORS - 1; i++) {
            rig.connect();
        }
        oldest.expectClosed();
        second.name = TestInitiator.NAME + ":second";
        second.login();
        member.ready();
    }

    @Test
    void shouldRefuseASessionTooManyAndStillAnswerDiscovery() {
        TestInitiator first = rig.connect();
        for (int i = 0; i < IscsiRig.MAX_SESSIONS; i++) {
            TestInitiator initiator = i == 0 ? first : rig.connect();
            initiator.name = TestInitiator.NAME + ":" + i;
            initiator.login();
        }
        TestInitiator tooMany = rig.connect();
        Pdu login = tooMany.loginRequest(
                LoginNegotiation.OPERATIONAL,
                LoginNegotiation.FULL_FEATURE,
                "InitiatorName=" + TestInitiator.NAME,
                "TargetName=" + IscsiRig.TARGET);
        tooMany.send(login);
        Pdu answer = tooMany.expect(Opcode.LOGIN_RESPONSE);
        assertThat(answer.header().loginStatusClass()).isEqualTo(3);
        assertThat(answer.header().loginStatusDetail()).isEqualTo(2);
        tooMany.expectClosed();
        rig.connect().discovery().close();
        first.close();
        rig.connect().login();
    }

    @Test
    void shouldNotLetOneInitiatorTakeAllConnections() {
        TestInitiator first = rig.connect().login();
        for (int i = 1; i < IscsiRig.MAX_OF_INITIATOR; i++) {
            TestInitiator initiator = rig.connect();
            initiator.isid += i;
            initiator.login();
        }
        TestInitiator tooMany = rig.connect();
        tooMany.isid += IscsiRig.MAX_OF_INITIATOR;
        tooMany.send(tooMany.loginRequest(
                LoginNegotiation.OPERATIONAL,
                LoginNegotiation.FULL_FEATURE,
                "InitiatorName=" + TestInitiator.NAME,
                "TargetName=" + IscsiRig.TARGET));
        Pdu answer = tooMany.expect(Opcode.LOGIN_RESPONSE);
        assertThat(answer.header().loginStatusClass()).isEqualTo(3);
        assertThat(answer.header().loginStatusDetail()).isEqualTo(2);
        TestInitiator other = rig.connect();
        other.name = TestInitiator.NAME + ":other";
        other.login();
        first.close();
        rig.connect().login();
    }

    @Test
    void shouldAnswerARefusalAndClose() {
        TestInitiator initiator = rig.connect();
        initiator.send(initiator.loginRequest(
                LoginNegotiation.OPERATIONAL,
                LoginNegotiation.FULL_FEATURE,
                "InitiatorName=" + TestInitiator.NAME,
                "TargetName=iqn.2026-11.io.holdfast:nobody"));
        Pdu answer = initiator.expect(Opcode.LOGIN_RESPONSE);
        assertThat(answer.header().loginStatusClass()).isEqualTo(2);
        assertThat(answer.header().loginStatusDetail()).isEqualTo(3);
        initiator.expectClosed();
    }

    @Test
    void shouldRedirectAndClose() {
        TestInitiator initiator = rig.connect();
        initiator.send(initiator.loginRequest(
                LoginNegotiation.SECURITY,
                LoginNegotiation.OPERATIONAL,
                "InitiatorName=" + TestInitiator.NAME,
                "TargetName=iqn.2026-11.io.holdfast:moved"));
        Pdu answer = initiator.expect(Opcode.LOGIN_RESPONSE);
        assertThat(answer.header().loginStatusClass()).isEqualTo(1);
        assertThat(answer.header().loginStatusDetail()).isEqualTo(1);
        assertThat(answer.keys()).containsEntry("TargetAddress", "192.0.2.7:3260");
        initiator.expectClosed();
    }

    @Test
    void shouldGiveAStrangerNoMoreMemoryThanALoginNeeds() {
        TestInitiator stranger = rig.connect();
        Pdu large = Pdu.of(Opcode.LOGIN_REQUEST, BasicHeader.CONTINUE | LoginNegotiation.OPERATIONAL << 2)
                .with(new byte[LoginNegotiation.MAX_REQUEST_TEXT_BYTES + 1]);
        stranger.sendRaw(Arrays.copyOf(stranger.encode(large), BasicHeader.BYTES));
        stranger.expectClosed();
    }

    @Test
    void shouldTakeNothingButALoginFirst() {
        TestInitiator initiator = rig.connect();
        initiator.send(initiator.testUnitReady());
        initiator.expectClosed();
    }

    @Test
    void shouldNotTakeASecondLoginOnOneConnection() {
        TestInitiator initiator = rig.connect().login();
        initiator.send(initiator.loginRequest(LoginNegotiation.OPERATIONAL, LoginNegotiation.FULL_FEATURE));
        initiator.expectClosed();
    }

    // ------------------------------------------------------------------ keep-alive and order

    @Test
    void shouldEchoAPing() {
        TestInitiator initiator = rig.connect().login();
        byte[] data = "are you there?".getBytes(StandardCharsets.US_ASCII);
        Pdu ping = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate().with(data);
        ping.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(ping));
        Pdu answer = initiator.expect(Opcode.NOP_IN);
        assertThat(answer.data()).isEqualTo(data);
        assertThat(answer.header().initiatorTaskTag()).isEqualTo(ping.header().initiatorTaskTag());
        assertThat(answer.header().targetTransferTag()).isEqualTo(BasicHeader.NO_TAG);
    }

    @Test
    void shouldEchoNoMoreThanTheInitiatorTakes() {
        TestInitiator initiator = rig.connect().login("MaxRecvDataSegmentLength=512");
        Pdu ping = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate().with(new byte[4096]);
        ping.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(ping));
        assertThat(initiator.expect(Opcode.NOP_IN).data()).hasSize(512);
    }

    @Test
    void shouldNotAnswerAPingWithoutATag() {
        TestInitiator initiator = rig.connect().login();
        Pdu ping = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate();
        ping.header().initiatorTaskTag(BasicHeader.NO_TAG).targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(ping));
        initiator.expectNothing();
    }

    @Test
    void shouldCloseTheWindowWhenItIsFullAndOpenItWithTheResponse() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.READ);
        for (int i = 0; i < TaskSet.COMMAND_WINDOW; i++) {
            initiator.send(initiator.read(i, 1));
        }
        Pdu ping = Pdu.of(Opcode.NOP_OUT, BasicHeader.FINAL).immediate();
        ping.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(ping));
        initiator.expect(Opcode.NOP_IN);
        assertThat(initiator.maxCmdSn).as("closed").isEqualTo(initiator.cmdSn - 1);

        initiator.send(initiator.read(0, 1)); // beyond the window: ignored
        initiator.cmdSn--;
        initiator.expectNothing();

        rig.disk.release();
        for (int i = 0; i < TaskSet.COMMAND_WINDOW; i++) {
            Pdu answer = initiator.expect(Opcode.DATA_IN);
            assertThat(answer.header().maxCmdSn()).isEqualTo(initiator.cmdSn + i);
        }
        initiator.readAll(0, 1);
    }

    @Test
    void shouldIgnoreACommandItHasSeen() {
        TestInitiator initiator = rig.connect().login().ready();
        Pdu write = initiator.write(0, 1, new byte[512]);
        initiator.send(write);
        initiator.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        initiator.send(write);
        initiator.expectNothing();
    }

    @Test
    void shouldCloseWhenACommandIsMissing() {
        TestInitiator initiator = rig.connect().login().ready();
        initiator.cmdSn++;
        initiator.send(initiator.read(0, 1));
        initiator.expectClosed();
    }

    @Test
    void shouldTakeImmediateCommandsWhileTheWindowIsClosed() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.READ);
        for (int i = 0; i < TaskSet.COMMAND_WINDOW; i++) {
            initiator.send(initiator.read(i, 1));
        }
        for (int i = 0; i < TaskSet.IMMEDIATE_COMMANDS; i++) {
            Pdu urgent =
                    Pdu.command(Opcode.SCSI_COMMAND, 0, "00 00 00 00 00 00", 0).immediate();
            initiator.send(initiator.numbered(urgent));
            assertThat(initiator.expect(Opcode.SCSI_RESPONSE).header().scsiStatus())
                    .isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x7fff_fffe, 0xffff_fffe})
    void shouldGoOnWhenTheNumbersWrapAround(int first) {
        TestInitiator initiator = rig.connect();
        initiator.cmdSn = first;
        initiator.login().ready();
        for (int i = 0; i < 10; i++) {
            initiator.readAll(i, 1);
        }
    }

    @Test
    void shouldRejectWhatItDoesNotKnowAndGoOn() {
        TestInitiator initiator = rig.connect().login().ready();
        Pdu snack = Pdu.of(Opcode.SNACK_REQUEST, BasicHeader.FINAL);
        snack.header().initiatorTaskTag(0x99);
        initiator.send(snack);
        Pdu reject = initiator.expect(Opcode.REJECT);
        assertThat(reject.header().response()).isEqualTo(5);
        assertThat(reject.data())
                .as("the header that was rejected")
                .isEqualTo(snack.header().bytes());
        initiator.readAll(0, 1);
    }

    // ------------------------------------------------------------------ digests

    @ParameterizedTest
    @CsvSource({"None,None", "CRC32C,None", "None,CRC32C", "CRC32C,CRC32C"})
    void shouldCarryDigestsBothWays(String header, String data) {
        TestInitiator initiator = rig.connect()
                .login("HeaderDigest=" + header, "DataDigest=" + data, "MaxRecvDataSegmentLength=5001")
                .ready();
        byte[] bytes = new byte[64 * 512];
        new Random(1).nextBytes(bytes);
        initiator.writeAll(3, bytes);
        assertThat(initiator.readAll(3, 64)).isEqualTo(bytes);
        Pdu odd = Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.READ, "12 00 00 00 0d 00", 13);
        initiator.send(initiator.numbered(odd));
        assertThat(initiator.expect(Opcode.DATA_IN).data()).hasSize(13);
    }

    @Test
    void shouldRejectDataWithAWrongDigestAndWriteNothing() {
        TestInitiator initiator = rig.connect().login("DataDigest=CRC32C").ready();
        byte[] wrong = initiator.encode(initiator.write(0, 1, new byte[512]));
        wrong[60] ^= 1;
        initiator.sendRaw(wrong);
        assertThat(initiator.expect(Opcode.REJECT).header().response()).isEqualTo(2);
        initiator.expectClosed();
        TestInitiator reader = rig.connect().login().ready();
        assertThat(reader.readAll(0, 1)).containsOnly(0);
    }

    @Test
    void shouldCloseAtAWrongHeaderDigest() {
        TestInitiator initiator = rig.connect().login("HeaderDigest=CRC32C").ready();
        byte[] wrong = initiator.encode(initiator.testUnitReady());
        wrong[20] ^= 1;
        initiator.sendRaw(wrong);
        initiator.expectClosed();
    }

    // ------------------------------------------------------------------ the end

    private static Pdu logout(TestInitiator initiator, int reason) {
        return initiator.numbered(Pdu.of(Opcode.LOGOUT_REQUEST, BasicHeader.FINAL | reason));
    }

    @Test
    void shouldAnswerALogoutAndClose() {
        TestInitiator initiator = rig.connect().login();
        initiator.send(logout(initiator, 0));
        assertThat(initiator.expect(Opcode.LOGOUT_RESPONSE).header().response()).isZero();
        initiator.expectClosed();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
    }

    @Test
    void shouldStayWhenALogoutAsksForARecoveryThatWasNotAgreed() {
        TestInitiator initiator = rig.connect().login();
        initiator.send(logout(initiator, 2));
        assertThat(initiator.expect(Opcode.LOGOUT_RESPONSE).header().response()).isEqualTo(2);
        initiator.expectNothing();
    }

    @Test
    void shouldThrowAwayWhatComesBehindALogout() {
        TestInitiator initiator = rig.connect().login().ready();
        byte[] logout = initiator.encode(logout(initiator, 0));
        byte[] write = initiator.encode(initiator.write(0, 8, new byte[4096]));
        byte[] both = Arrays.copyOf(logout, logout.length + 1000);
        System.arraycopy(write, 0, both, logout.length, 1000);
        initiator.sendRaw(both);
        initiator.expect(Opcode.LOGOUT_RESPONSE);
        initiator.expectClosed();
    }

    @Test
    void shouldAnswerWhatRunsAndThenCloseWhenTheServerStops() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.WRITE);
        Pdu running = initiator.write(0, 1, new byte[512]);
        initiator.send(running);
        initiator.send(initiator.write(8, 8, Pdu.NO_DATA));
        Pdu r2t = initiator.expect(Opcode.R2T);
        TestInitiator idle = rig.connect();
        idle.name = TestInitiator.NAME + ":idle";
        idle.login();

        rig.shutdown();
        assertThat(idle.expect(Opcode.ASYNC_MESSAGE).header().asyncEvent()).isEqualTo(3);
        idle.expectClosed();
        assertThat(initiator.expect(Opcode.ASYNC_MESSAGE).header().asyncEvent()).isEqualTo(3);
        initiator.send(initiator.dataOut(r2t, new byte[4096]));
        initiator.send(initiator.read(0, 1));
        initiator.expectNothing();
        rig.disk.release();
        initiator.expectStatus(running.header().initiatorTaskTag(), TestInitiator.GOOD);
        initiator.expectClosed();
        assertThat(rig.admission.isEmpty()).isTrue();
    }

    @Test
    void shouldTakeNothingMoreOnceSomethingWentWrong() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.closesLate = true;
        rig.breakConnections();
        initiator.send(initiator.write(0, 1, new byte[512]));
        initiator.expectNothing();
        assertThat(rig.events).containsExactly("opened 1", "closed 1");
    }

    @Test
    void shouldSurviveRandomBytesAtEveryStageWithoutLosingABuffer() {
        Random random = new Random(42);
        for (int round = 0; round < 300; round++) {
            TestInitiator initiator = rig.connect();
            initiator.name = TestInitiator.NAME + ":" + round;
            if (round % 3 > 0) {
                initiator.login(round % 3 == 2 ? new String[] {"DataDigest=CRC32C"} : new String[0]);
            }
            byte[] junk = new byte[random.nextInt(2000)];
            random.nextBytes(junk);
            if (round % 2 == 0 && junk.length > 8) {
                // Plausible enough to get past the first check.
                junk[0] = (byte) random.nextInt(8);
                junk[4] = 0;
                junk[5] = 0;
            }
            initiator.sendRaw(junk);
            initiator.close();
        }
    }

    @Test
    void shouldTakeACommandCutAtEveryByte() {
        TestInitiator initiator = rig.connect().login().ready();
        byte[] data = new byte[512];
        new Random(3).nextBytes(data);
        int length = BasicHeader.BYTES + data.length;
        for (int cut = 1; cut < length; cut += 37) {
            byte[] whole = initiator.encode(initiator.write(cut, 1, data));
            initiator.sendRaw(Arrays.copyOf(whole, cut));
            initiator.sendRaw(Arrays.copyOfRange(whole, cut, length));
            assertThat(initiator.expect(Opcode.SCSI_RESPONSE).header().scsiStatus())
                    .isZero();
        }
    }
}
