package io.holdfast.agent.watch;

import io.holdfast.control.ControlProtocol;
import io.holdfast.control.ExportedUnit;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Asks units of one server whether they read and write, and takes over what has been found out early. Owned by the loop. */
final class UnitProofs {
    /** How long a unit may take for a login, a read and a durable write; then, if it lets nobody in, for its server's word. */
    private static final int UNIT_LIMIT_MS = ControlProtocol.PROOF_LIMIT_MS;

    private final EventLoop loop;
    private final ProbeIdentity identity;
    private final int connectLimitMs;
    private final BarredUnits barred;
    private final Set<Question> open = new LinkedHashSet<>();
    private @Nullable EarlyProofs early;

    /** @param barred asked about units that do not let the agent in */
    UnitProofs(EventLoop loop, ProbeIdentity identity, int connectLimitMs, BarredUnits barred) {
        this.loop = loop;
        this.identity = identity;
        this.connectLimitMs = connectLimitMs;
        this.barred = barred;
    }

    /** Begins before anybody asks, unless that has begun already. */
    void begin(InetSocketAddress at, List<ExportedUnit> units) {
        EarlyProofs begun = early;
        if (begun == null || begun.over()) {
            early = EarlyProofs.begin(loop, at, identity, units, connectLimitMs);
        }
    }

    /**
     * The server is lost. Whoever has asked is told so, in a later turn of the loop, when he has heard of the loss; what is
     * still answered is not heard: the next server must not be judged by it.
     */
    void forget() {
        EarlyProofs over = early;
        early = null;
        barred.forget();
        if (over != null) {
            over.close();
        }
        List<Question> asked = List.copyOf(open);
        open.clear();
        asked.forEach(question -> {
            question.giveUp();
            loop.execute(() -> question.answer.accept("the server was lost meanwhile"));
        });
    }

    /**
     * @param at the server's portal
     * @param initiators names of the VM's initiators, whose reservations are no obstacle
     * @param answer called on the loop, once, with why the VM must not be resumed on them; empty if nothing is wrong
     */
    void prove(InetSocketAddress at, List<ExportedUnit> units, Set<String> initiators, Consumer<String> answer) {
        if (units.isEmpty()) {
            answer.accept("");
            return;
        }
        Question question = new Question(at, units, initiators, answer);
        open.add(question);
        units.forEach(question::prove);
    }

    /** One VM's units, or some of them. */
    private final class Question {
        private final InetSocketAddress at;
        private final List<ExportedUnit> waiting;
        private final Set<String> initiators;
        private final Consumer<String> answer;
        private final List<String> troubles = new ArrayList<>();
        private final List<UnitProbe> probes = new ArrayList<>();

        Question(InetSocketAddress at, List<ExportedUnit> units, Set<String> initiators, Consumer<String> answer) {
            this.at = at;
            this.waiting = new ArrayList<>(units);
            this.initiators = initiators;
            this.answer = answer;
        }

        void prove(ExportedUnit unit) {
            EarlyProofs begun = early;
            if (begun == null) {
                ask(unit);
            } else {
                begun.whenKnown(unit, at, found -> {
                    switch (found) {
                        case FIT -> answered(unit, "");
                        case BARRED -> askServer(unit);
                        case UNDECIDED -> ask(unit);
                    }
                });
            }
        }

        private void ask(ExportedUnit unit) {
            UnitProbe probe = UnitProbe.open(loop, at, identity, unit.target(), unit.lun(), connectLimitMs);
            probes.add(probe);
            Consumer<UnitProbe.Outcome> told = outcome -> {
                probe.close();
                if (outcome.barred()) {
                    askServer(unit);
                } else {
                    answered(unit, outcome.trouble());
                }
            };
            probe.expect(unit.uuid());
            if (unit.readOnly()) {
                probe.read(UNIT_LIMIT_MS, told);
            } else {
                probe.prove(initiators, UNIT_LIMIT_MS, told);
            }
        }

        private void askServer(ExportedUnit unit) {
            barred.ask(unit, initiators, objection -> answered(unit, objection));
        }

        private void answered(ExportedUnit unit, String trouble) {
            waiting.remove(unit);
            if (!trouble.isEmpty()) {
                troubles.add(unit.name() + ": " + trouble);
            }
            if (waiting.isEmpty() && open.remove(this)) {
                answer.accept(String.join("; ", troubles));
            }
        }

        void giveUp() {
            probes.forEach(UnitProbe::close);
        }
    }
}
