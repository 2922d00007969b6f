package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.agent.portal.FakeTarget.Answer;
import io.holdfast.control.ExportedUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a VM hears of its units, and that it hears it once. */
class UnitProofsTest extends AtFakeTarget {
    private static final UUID OWN = UUID.randomUUID();
    private static final ExportedUnit DISK = new ExportedUnit("iqn.t:disk", 0, OWN.toString(), 1, false);

    private final UnitProofs proofs = new UnitProofs(loop, ProbeIdentity.ofThisHost(), LIMIT_MS);
    private final List<String> heard = new CopyOnWriteArrayList<>();

    @BeforeEach
    void identify() {
        target.unit = Optional.of(OWN);
    }

    @Test
    void shouldTellWhoeverWaitsThatTheServerIsLostAndNothingAfterThat() throws Exception {
        target.answersCommands = false;
        prove();
        await().until(() -> target.commands.get() == 1);

        onLoop(() -> {
            proofs.forget();
            heard.add("it is lost");
        });

        await().until(() -> heard.size() == 2);
        assertThat(heard).containsExactly("it is lost", "the server was lost meanwhile");
        target.die();
        onLoop(() -> {});
        assertThat(heard).hasSize(2);
    }

    @Test
    void shouldTellThatAlsoOfWhatHadBegunEarly() throws Exception {
        target.answersCommands = false;
        onLoop(() -> proofs.begin(target.address(), List.of(DISK)));
        await().until(() -> target.commands.get() == 1);
        prove();

        onLoop(proofs::forget);

        await().until(() -> heard.contains("the server was lost meanwhile"));
        await().until(() -> target.connections() == 0);
        assertThat(target.accepted).as("the dead server is not asked anew").hasValue(1);
        assertThat(heard).hasSize(1);
    }

    @Test
    void shouldAskWhoHoldsAReservationThatWasInTheWayOfAnEarlyProof() throws Exception {
        answer(READ, CONFLICT, CONFLICT);
        answer(RESERVE_IN, Answer.of(2, new byte[0]), Answer.of(2, new byte[0]));
        onLoop(() -> proofs.begin(target.address(), List.of(DISK)));

        prove();

        await().until(() -> heard.size() == 1);
        assertThat(target.operations).contains(READ, RESERVE_IN).doesNotContain(COMPARE_AND_WRITE);
    }

    @Test
    void shouldNotBeginTwice() throws Exception {
        onLoop(() -> {
            proofs.begin(target.address(), List.of(DISK));
            proofs.begin(target.address(), List.of(DISK));
        });

        prove();

        await().until(() -> heard.contains(""));
        assertThat(target.operations).containsExactly(INQUIRY, READ, COMPARE_AND_WRITE);
    }

    private void prove() throws Exception {
        onLoop(() -> proofs.prove(target.address(), List.of(DISK), Set.of("iqn.vm"), heard::add));
    }
}
