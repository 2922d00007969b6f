package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.portal.FakeTarget.Answer;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a unit answers, and what that says of it. */
class UnitProbeTest extends AtFakeTarget {
    private static final Answer RESET = Answer.sense(6, 0x29, 0);
    private static final String TARGET = "iqn.t:disk";

    private UnitProbe.Outcome prove() throws Exception {
        return asked("", LIMIT_MS);
    }

    private UnitProbe.Outcome asked(String uuid, int limitMs) throws Exception {
        CompletableFuture<UnitProbe.Outcome> outcome = new CompletableFuture<>();
        loop.execute(() -> {
            UnitProbe probe = UnitProbe.open(loop, target.address(), ProbeIdentity.ofThisHost(), TARGET, 0, LIMIT_MS);
            probe.expect(uuid);
            probe.prove(Set.of("iqn.vm"), limitMs, outcome::complete);
        });
        return outcome.get(2L * LIMIT_MS, TimeUnit.MILLISECONDS);
    }

    @Test
    void shouldProveAUnitByAReadAndADurableWrite() throws Exception {
        assertThat(prove().fit()).isTrue();

        assertThat(target.operations).containsExactly(READ, COMPARE_AND_WRITE);
    }

    @Test
    void shouldTakeABlockThatSomebodyChangedInBetweenForAWriteThatWasTaken() throws Exception {
        answer(COMPARE_AND_WRITE, Answer.sense(0xe, 0x1d, 0));

        assertThat(prove().fit()).isTrue();
    }

    @Test
    void shouldAskAgainAfterUnitAttentions() throws Exception {
        answer(READ, RESET, RESET, BLOCK);
        answer(COMPARE_AND_WRITE, RESET);

        assertThat(prove().fit()).isTrue();
        assertThat(target.operations).containsExactly(READ, READ, READ, COMPARE_AND_WRITE, COMPARE_AND_WRITE);
    }

    @Test
    void shouldNotGoOnForEverWithAUnitThatIsNeverReady() throws Exception {
        Answer[] attentions = new Answer[50];
        java.util.Arrays.fill(attentions, RESET);
        answer(READ, attentions);

        UnitProbe.Outcome outcome = prove();

        assertThat(outcome.trouble()).contains("6h/29h/00h");
        assertThat(outcome.barred()).isFalse();
    }

    @Test
    void shouldSayWithWhichSenseAReadOrAWriteIsAnswered() throws Exception {
        answer(READ, Answer.sense(3, 0x11, 0));
        assertThat(prove().trouble()).isEqualTo("a read is answered with sense 3h/11h/00h");

        answer(READ, BLOCK);
        answer(COMPARE_AND_WRITE, Answer.sense(7, 0x27, 7));
        assertThat(prove().trouble()).isEqualTo("a durable write is answered with sense 7h/27h/07h");
    }

    @Test
    void shouldTakeAUnitThatIsSanitizedAsFit() throws Exception {
        answer(READ, Answer.sense(2, 0x04, 0x1b));
        assertThat(prove().fit()).as("it is being sanitized").isTrue();

        answer(READ, Answer.sense(3, 0x31, 3));
        assertThat(prove().fit()).as("sanitizing it has failed").isTrue();

        answer(READ, BLOCK);
        answer(COMPARE_AND_WRITE, Answer.sense(2, 0x04, 0x1b));
        assertThat(prove().fit()).as("it began after the read").isTrue();

        answer(READ, Answer.sense(2, 0x04, 1));
        assertThat(prove().trouble()).isEqualTo("a read is answered with sense 2h/04h/01h");
    }

    @Test
    void shouldSayWhetherAUnitHasToldWhoItIs() throws Exception {
        String own = UUID.randomUUID().toString();
        target.unit = java.util.Optional.of(UUID.fromString(own));
        assertThat(asked(own, LIMIT_MS).identified()).isTrue();

        target.answersCommands = false;
        assertThat(asked(own, 200).identified()).isFalse();
    }

    @Test
    void shouldSayNothingOfAUnitThatDoesNotTakeTheAgentsCommands() throws Exception {
        answer(READ, Answer.sense(5, 0x25, 0));

        UnitProbe.Outcome outcome = prove();

        assertThat(outcome.barred()).isTrue();
        assertThat(target.operations).containsExactly(READ);
    }

    @Test
    void shouldAskWhoHoldsAReservationThatIsInItsWay() throws Exception {
        answer(READ, CONFLICT);
        // READ FULL STATUS with nobody registered: the reservation is gone again.
        answer(RESERVE_IN, Answer.of(0, new byte[8]));

        assertThat(prove().fit()).isTrue();
        assertThat(target.operations).containsExactly(READ, RESERVE_IN);
    }

    @Test
    void shouldWriteNothingToAnotherUnit() throws Exception {
        target.unit = java.util.Optional.of(UUID.randomUUID());

        UnitProbe.Outcome outcome = asked(UUID.randomUUID().toString(), LIMIT_MS);

        assertThat(outcome.trouble()).startsWith("that is another unit, ");
        assertThat(outcome.identified()).isFalse();
        assertThat(target.operations).containsExactly(INQUIRY);
    }

    @Test
    void shouldTellSilenceFromARefusal() throws Exception {
        target.answersCommands = false;
        assertThat(asked("", 200).silence()).isTrue();

        target.hangsUp = true;
        UnitProbe.Outcome outcome = prove();
        assertThat(outcome.silence()).isFalse();
        assertThat(outcome.trouble()).isNotEmpty();
    }
}
