package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MembershipTest {
    private final EmbeddedChannel loop = new EmbeddedChannel();
    private final List<String> said = new ArrayList<>();
    private boolean unheard;

    private final Membership membership = new Membership(
            new WriteAdmission(),
            new WriteAdmission.Key("iqn.2026-11.io.holdfast:guest", "iqn.2026-11.io.holdfast:disk"),
            1,
            1,
            loop.eventLoop(),
            () -> unheard,
            question -> said.add("asks"),
            () -> said.add("admitted"),
            why -> said.add("closes: " + why));

    @Test
    void shouldNotWaitForAnAnswerOfAnInitiatorThatNothingReaches() {
        unheard = true;

        membership.settle(false);
        loop.runPendingTasks();

        assertThat(said).containsExactly("closes: its initiator logged in again, and nothing reaches it here");
    }

    @Test
    void shouldAskAnInitiatorThatCanBeReached() {
        membership.settle(false);
        loop.runPendingTasks();

        assertThat(said).containsExactly("asks");
    }
}
