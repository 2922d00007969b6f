package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class VerdictTest {

    private static Verdict judge(Examples.FindingsBuilder findings) {
        return Verdict.judge(Examples.plan(), findings.build(), Optional.empty());
    }

    @Test
    void shouldSayInOneLineThatTheGuestSurvived() {
        Verdict verdict = judge(Examples.findings());

        assertThat(verdict.survived()).isTrue();
        assertThat(verdict.line())
                .isEqualTo("survived=yes device=virtio-blk outage_s=6 freeze_ms=4.3 thaw_ms=31.5 guest_errors=0 "
                        + "acked=1234 lost=0 fault=kill agent=yes stall_ms=40.0 clock_jump_ms=2.0 qmp=24/24");
    }

    @Test
    void shouldFailWhenAnAcknowledgedWriteIsLost() {
        Verdict verdict = judge(Examples.findings().lost(2, "writer 1, slot 7: record 99 is missing"));

        assertThat(verdict.survived()).isFalse();
        assertThat(verdict.line())
                .startsWith("survived=no ")
                .contains(" lost=2 ")
                .endsWith("reason=\"2 acknowledged writes are lost, first: writer 1, slot 7: record 99 is missing\"");
    }

    @Test
    void shouldFailWhenTheGuestSawAnError() {
        Verdict verdict = judge(Examples.findings().error("writer 0, record 5: fsync: Input/output error"));

        assertThat(verdict.reasons())
                .containsExactly("the guest saw 1 I/O error, first: writer 0, record 5: fsync: Input/output error");
        assertThat(verdict.line()).contains(" guest_errors=1 ");
    }

    @Test
    void shouldFailWhenTheGuestsKernelComplained() {
        assertThat(judge(Examples.findings().kernelComplaint("INFO: task jbd2 blocked for more than 10 seconds."))
                        .reasons())
                .singleElement()
                .asString()
                .startsWith("the guest's kernel complained in 1 line");
    }

    @Test
    void shouldFailWhenTheRootWasRemountedReadOnly() {
        assertThat(judge(Examples.findings().remountedReadOnly()).reasons())
                .containsExactly("the guest's root was remounted read-only");
    }

    @Test
    void shouldFailWhenTheFileSystemIsDamagedThoughNothingIsLost() {
        assertThat(judge(Examples.findings().diskComplaint("e2fsck -fn ended with 4"))
                        .reasons())
                .containsExactly("the guest's disk is damaged, first: e2fsck -fn ended with 4");
    }

    @Test
    void shouldFailWhenTheDiskWasNotChecked() {
        Verdict verdict = judge(Examples.findings().diskNotChecked());

        assertThat(verdict.survived()).isFalse();
        assertThat(verdict.line()).contains(" lost=unknown ");
    }

    @Test
    void shouldFailWhenTheAgentNeverFrozeTheGuest() {
        Verdict verdict = judge(Examples.findings().neverFrozen());

        assertThat(verdict.reasons()).containsExactly("the vCPUs were never stopped: the guest stalled unprotected");
        assertThat(verdict.line()).contains(" freeze_ms=none ");
    }

    @Test
    void shouldFailWhenTheKernelsComplaintsWereCountedButDidNotCome() {
        assertThat(judge(Examples.findings().kernelComplaintCount(3)).reasons())
                .containsExactly("the guest's kernel complained in 3 lines");
    }

    @Test
    void shouldFailWhenAPlannedStopClosedConnectionsBeforeTheGuestWasFrozen() {
        Verdict verdict = judge(Examples.findings().frozenFirst(false));

        assertThat(verdict.reasons())
                .containsExactly(
                        "the server closed its connections before the guest was frozen, though its stop was planned");
        assertThat(verdict.line()).contains(" frozen_first=no ");
        assertThat(judge(Examples.findings().frozenFirst(true)).survived()).isTrue();
    }

    @Test
    void shouldFailWhenTheGuestWasPausedMoreThanOnce() {
        assertThat(judge(Examples.findings().pauses(2)).reasons())
                .containsExactly("the guest was paused 2 times in one outage");
    }

    @Test
    void shouldFailWhenTheMonitorWasBlockedThroughTheOutage() {
        assertThat(judge(Examples.findings().probesAnswered(0)).reasons())
                .containsExactly(
                        "QEMU's monitor was blocked while the server was away: 24 of 24 questions found no answer in time");
        assertThat(judge(Examples.findings().probesAnswered(22)).survived()).isFalse();
        assertThat(judge(Examples.findings().probesAnswered(23)).survived()).isTrue();
    }

    @Test
    void shouldNotHoldTheAgentsFaultsAgainstTheControlRun() {
        Findings findings = Examples.findings().pauses(2).probesAnswered(0).build();

        assertThat(Verdict.judge(Examples.controlPlan(), findings, Optional.empty())
                        .survived())
                .isTrue();
    }

    @Test
    void shouldNotAskForAFreezeInTheControlRun() {
        Verdict verdict = Verdict.judge(
                Examples.controlPlan(), Examples.findings().neverFrozen().build(), Optional.empty());

        assertThat(verdict.survived()).isTrue();
        assertThat(verdict.line()).contains(" freeze_ms=none ").contains(" agent=no ");
    }

    @Test
    void shouldJudgeTheControlRunsGuestLikeAnyOther() {
        assertThat(Verdict.judge(
                                Examples.controlPlan(),
                                Examples.findings()
                                        .neverFrozen()
                                        .error("writer 0, record 5: fsync: Input/output error")
                                        .build(),
                                Optional.empty())
                        .survived())
                .isFalse();
    }

    @Test
    void shouldFailWhenTheGuestMadeNoProgress() {
        Verdict verdict = judge(Examples.findings().noProgress());

        assertThat(verdict.reasons()).containsExactly("the guest made no progress after the server was back");
        assertThat(verdict.line()).contains(" thaw_ms=none ");
    }

    @Test
    void shouldFailWhenNothingWasEverAcknowledged() {
        assertThat(judge(Examples.findings().acked(0)).reasons())
                .containsExactly("the guest had no write acknowledged: the drill shows nothing");
    }

    @Test
    void shouldGiveTheMishapAsTheOnlyReasonWhenNothingElseIsKnown() {
        Verdict verdict = Verdict.judge(
                Examples.plan(), Findings.none(), Optional.of("QEMU ended with exit code 134\nwhile \"waiting\""));

        assertThat(verdict.survived()).isFalse();
        assertThat(verdict.line())
                .endsWith("reason=\"QEMU ended with exit code 134; while 'waiting'\"")
                .contains("freeze_ms=none thaw_ms=none guest_errors=0 acked=0 lost=unknown");
    }

    @Test
    void shouldTellErrorsSeenBeforeAMishapToo() {
        Verdict verdict = Verdict.judge(
                Examples.plan(),
                Examples.findings()
                        .error("writer 0, record 5: pwrite: Input/output error")
                        .build(),
                Optional.of("waited 30 s for the guest to make progress"));

        assertThat(verdict.reasons()).hasSize(2);
        assertThat(verdict.reasons().get(0)).startsWith("waited 30 s");
    }

    @Test
    void shouldFailWhenTheGuestWasFrozenAsLateAsBySilence() {
        assertThat(judge(Examples.findings().freezeMs(960)).reasons())
                .containsExactly("the vCPUs stopped after 960.0 ms, more than 500 ms");
    }

    @Test
    void shouldFailWhenTheGuestsClockLivedThroughTheOutage() {
        assertThat(judge(Examples.findings().clockJumpMs(5900)).reasons())
                .containsExactly("the guest's clock leapt by 5900.0 ms, more than 500 ms");
    }
}
