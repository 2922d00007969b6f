package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.agent.portal.FakeTarget.Answer;
import io.holdfast.control.AgentMessage;
import io.holdfast.control.ControlProtocol;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerMessage;
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

    private static final Answer NO_SUCH_UNIT = Answer.sense(5, 0x25, 0);

    private final BarredUnits barred = new BarredUnits(loop, "s1", LIMIT_MS);
    private final UnitProofs proofs = new UnitProofs(loop, ProbeIdentity.ofThisHost(), LIMIT_MS, barred);
    private final List<AgentMessage> sent = new CopyOnWriteArrayList<>();
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

    // ------------------------------------------------------------------ units that do not let the agent in

    @Test
    void shouldHaveTheServerProveAUnitThatDoesNotLetTheAgentIn() throws Exception {
        answer(READ, NO_SUCH_UNIT);
        introduced(ControlProtocol.PROVES_UNITS);
        prove();

        AgentMessage.ProveUnit question = question(1);
        assertThat(question.unit()).isEqualTo(DISK);
        assertThat(question.initiators()).containsExactly("iqn.vm");
        assertThat(heard).isEmpty();
        onLoop(() -> barred.answered(new ServerMessage.UnitProved(question.id(), "it is reserved by iqn.foreign")));

        assertThat(heard).containsExactly("iqn.t:disk/0: it is reserved by iqn.foreign");
        onLoop(() -> barred.answered(new ServerMessage.UnitProved(question.id(), "")));
        assertThat(heard).as("an answer counts once").hasSize(1);
    }

    @Test
    void shouldGoOnWhenTheServerHasNothingAgainstIt() throws Exception {
        answer(READ, NO_SUCH_UNIT, NO_SUCH_UNIT);
        introduced(ControlProtocol.VERSION);
        prove();
        prove();

        long first = question(1).id();
        long second = question(2).id();
        onLoop(() -> barred.answered(new ServerMessage.UnitProved(second, "")));
        assertThat(heard).containsExactly("");
        onLoop(() -> barred.answered(new ServerMessage.UnitProved(first, "gone")));

        assertThat(heard).containsExactly("", "iqn.t:disk/0: gone");
    }

    @Test
    void shouldNotLogInAgainForWhatWasFoundToBeBarredEarly() throws Exception {
        answer(READ, NO_SUCH_UNIT);
        introduced(ControlProtocol.VERSION);
        onLoop(() -> proofs.begin(target.address(), List.of(DISK)));

        prove();

        question(1);
        assertThat(target.accepted).hasValue(1);
    }

    @Test
    void shouldResumeUnprovedAtAServerOfAnEarlierVersionAndSaySoOnce() throws Exception {
        try (LogLines log = LogLines.of(BarredUnits.class)) {
            answer(READ, NO_SUCH_UNIT, NO_SUCH_UNIT);
            introduced(1);
            prove();
            await().until(() -> heard.size() == 1);
            onLoop(proofs::forget);
            introduced(1);
            prove();

            await().until(() -> heard.size() == 2);
            assertThat(heard).containsOnly("");
            assertThat(sent).isEmpty();
            assertThat(log.lines()).hasSize(1);
            assertThat(log.lines().get(0)).startsWith("server s1: it is of an earlier version");
        }
    }

    @Test
    void shouldNotPassAUnitThatNobodyCanBeAskedAbout() throws Exception {
        onLoop(() -> barred.ask(DISK, Set.of(), heard::add));
        assertThat(heard).as("before the server has introduced itself").containsExactly("the server is not heard");

        introduced(ControlProtocol.VERSION);
        onLoop(() -> {
            barred.forget();
            barred.ask(DISK, Set.of(), heard::add);
        });

        assertThat(heard).containsExactly("the server is not heard", "the server is not heard");
        assertThat(sent).isEmpty();
    }

    @Test
    void shouldSayThatTheServerDoesNotAnswer() throws Exception {
        BarredUnits impatient = new BarredUnits(loop, "s1", 20);
        onLoop(() -> {
            impatient.introduced(ControlProtocol.VERSION, sent::add);
            impatient.ask(DISK, Set.of(), heard::add);
        });

        await().until(() -> !heard.isEmpty());
        assertThat(heard).containsExactly("no answer within 20 ms");
    }

    @Test
    void shouldNotTakeAnAnswerOfTheServersLifeBefore() throws Exception {
        answer(READ, NO_SUCH_UNIT, NO_SUCH_UNIT);
        introduced(ControlProtocol.VERSION);
        prove();
        long before = question(1).id();
        onLoop(proofs::forget);
        await().until(() -> heard.contains("the server was lost meanwhile"));
        introduced(ControlProtocol.VERSION);
        prove();
        question(2);

        onLoop(() -> barred.answered(new ServerMessage.UnitProved(before, "")));

        assertThat(heard).hasSize(1);
    }

    private void introduced(int protocol) throws Exception {
        onLoop(() -> barred.introduced(protocol, sent::add));
    }

    private AgentMessage.ProveUnit question(int number) {
        await().until(() -> sent.size() >= number);
        return (AgentMessage.ProveUnit) sent.get(number - 1);
    }

    private void prove() throws Exception {
        onLoop(() -> proofs.prove(target.address(), List.of(DISK), Set.of("iqn.vm"), heard::add));
    }
}
