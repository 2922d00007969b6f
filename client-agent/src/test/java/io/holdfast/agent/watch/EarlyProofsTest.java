package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.agent.portal.FakeTarget.Answer;
import io.holdfast.agent.watch.EarlyProofs.Found;
import io.holdfast.control.ExportedUnit;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is found out of units before anybody asks, and what of it counts when somebody does. */
class EarlyProofsTest extends AtFakeTarget {
    private static final UUID OWN = UUID.randomUUID();
    private static final ExportedUnit DISK = unit(0, OWN.toString());

    @BeforeEach
    void identify() {
        target.unit = Optional.of(OWN);
    }

    @Test
    void shouldHaveProvedAUnitBeforeItIsAskedFor() throws Exception {
        EarlyProofs proofs = begin(DISK);
        awaitOperations(INQUIRY, READ, COMPARE_AND_WRITE);

        assertThat(found(proofs, DISK)).isEqualTo(Found.FIT);
        assertThat(found(proofs, DISK)).as("it counts once").isEqualTo(Found.UNDECIDED);
        assertThat(target.operations).hasSize(3);
        await().until(() -> target.connections() == 0);
    }

    @Test
    void shouldAnswerWhoeverAsksBeforeItIsKnown() throws Exception {
        CompletableFuture<Found> answer = new CompletableFuture<>();

        loop.execute(
                () -> EarlyProofs.begin(loop, target.address(), ProbeIdentity.ofThisHost(), List.of(DISK), LIMIT_MS)
                        .whenKnown(DISK, target.address(), answer::complete));

        assertThat(answer.get(LIMIT_MS, TimeUnit.MILLISECONDS)).isEqualTo(Found.FIT);
    }

    @Test
    void shouldTellWhoeverWaitsThatTheServerDied() throws Exception {
        target.answersCommands = false;
        EarlyProofs proofs = begin(DISK);
        CompletableFuture<Found> answer = ask(proofs, DISK, target.address());
        await().until(() -> target.commands.get() == 1);

        target.die();

        assertThat(answer.get(LIMIT_MS, TimeUnit.MILLISECONDS)).isEqualTo(Found.UNDECIDED);
    }

    @Test
    void shouldEndTheSessionsThatNobodyAsksFor() throws Exception {
        EarlyProofs proofs = begin(DISK);
        awaitOperations(INQUIRY, READ, COMPARE_AND_WRITE);

        onLoop(proofs::close);

        await().until(() -> target.connections() == 0);
        assertThat(found(proofs, DISK)).isEqualTo(Found.UNDECIDED);
    }

    @Test
    void shouldNotWriteToAUnitThatDoesNotSayWhoItIs() throws Exception {
        target.unit = Optional.empty();
        EarlyProofs proofs = begin(DISK);

        assertThat(found(proofs, DISK)).isEqualTo(Found.UNDECIDED);
        assertThat(target.operations).containsExactly(INQUIRY);
    }

    @Test
    void shouldNotWriteToAnotherUnit() throws Exception {
        target.unit = Optional.of(UUID.randomUUID());
        EarlyProofs proofs = begin(DISK);

        assertThat(found(proofs, DISK)).isEqualTo(Found.UNDECIDED);
        assertThat(target.operations).containsExactly(INQUIRY);
    }

    @Test
    void shouldNotAskAUnitWhoseIdentityNobodyKnows() throws Exception {
        ExportedUnit nameless = unit(0, "u");
        EarlyProofs proofs = begin(nameless);

        assertThat(found(proofs, nameless)).isEqualTo(Found.UNDECIDED);
        assertThat(target.operations).isEmpty();
    }

    @Test
    void shouldNotCountAProofOfALifeThatIsOver() throws Exception {
        EarlyProofs proofs = begin(DISK);
        awaitOperations(INQUIRY, READ, COMPARE_AND_WRITE);

        target.die();
        CompletableFuture<Found> answer = new CompletableFuture<>();
        // By then the loop has heard of the end of the connection: it was in the kernel's hands before.
        loop.schedule(() -> proofs.whenKnown(DISK, target.address(), answer::complete), 200, TimeUnit.MILLISECONDS);

        assertThat(answer.get(LIMIT_MS, TimeUnit.MILLISECONDS)).isEqualTo(Found.UNDECIDED);
    }

    @Test
    void shouldNotCountWhatAnotherPortalAnswered() throws Exception {
        EarlyProofs proofs = begin(DISK);
        awaitOperations(INQUIRY, READ, COMPARE_AND_WRITE);

        InetSocketAddress other =
                new InetSocketAddress("127.0.0.2", target.address().getPort());

        assertThat(ask(proofs, DISK, other).get(LIMIT_MS, TimeUnit.MILLISECONDS))
                .isEqualTo(Found.UNDECIDED);
    }

    @Test
    void shouldNotCountARefusal() throws Exception {
        answer(READ, Answer.sense(3, 0x11, 0));
        EarlyProofs proofs = begin(DISK);

        assertThat(found(proofs, DISK)).isEqualTo(Found.UNDECIDED);
    }

    @Test
    void shouldTellThatAUnitDoesNotLetTheAgentIn() throws Exception {
        answer(READ, Answer.sense(5, 0x25, 0));
        EarlyProofs proofs = begin(DISK);

        assertThat(found(proofs, DISK)).isEqualTo(Found.BARRED);
    }

    @Test
    void shouldNotOpenSessionsWithoutLimit() throws Exception {
        List<ExportedUnit> units = IntStream.range(0, 100)
                .mapToObj(lun -> unit(lun, UUID.randomUUID().toString()))
                .toList();

        EarlyProofs proofs = begin(units.toArray(ExportedUnit[]::new));

        List<Found> answers = new ArrayList<>();
        for (ExportedUnit unit : units) {
            answers.add(found(proofs, unit));
        }
        assertThat(answers).containsOnly(Found.UNDECIDED);
        assertThat(target.accepted.get()).isEqualTo(16);
    }

    private EarlyProofs begin(ExportedUnit... units) throws Exception {
        return loop.submit(() ->
                        EarlyProofs.begin(loop, target.address(), ProbeIdentity.ofThisHost(), List.of(units), LIMIT_MS))
                .get(LIMIT_MS, TimeUnit.MILLISECONDS);
    }

    private void awaitOperations(Integer... operations) {
        await().untilAsserted(() -> assertThat(target.operations).containsExactly(operations));
    }

    private Found found(EarlyProofs proofs, ExportedUnit unit) throws Exception {
        return ask(proofs, unit, target.address()).get(LIMIT_MS, TimeUnit.MILLISECONDS);
    }

    private CompletableFuture<Found> ask(EarlyProofs proofs, ExportedUnit unit, InetSocketAddress at) {
        CompletableFuture<Found> answer = new CompletableFuture<>();
        loop.execute(() -> proofs.whenKnown(unit, at, answer::complete));
        return answer;
    }

    private static ExportedUnit unit(int lun, String uuid) {
        return new ExportedUnit("iqn.t:disk", lun, uuid, 1, false);
    }
}
