package io.holdfast.agent.watch;

import io.holdfast.control.ExportedUnit;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Asks units of one server whether they read and write, and takes over what has been found out early. Owned by the loop. */
final class UnitProofs {
    /** How long a unit may take for a login, a read and a durable write. */
    private static final int UNIT_LIMIT_MS = 3_000;

    private final EventLoop loop;
    private final ProbeIdentity identity;
    private final int connectLimitMs;
    private @Nullable EarlyProofs early;

    UnitProofs(EventLoop loop, ProbeIdentity identity, int connectLimitMs) {
        this.loop = loop;
        this.identity = identity;
        this.connectLimitMs = connectLimitMs;
    }

    /** Begins before anybody asks. */
    void begin(InetSocketAddress at, List<ExportedUnit> units) {
        forget();
        early = EarlyProofs.begin(loop, at, identity, units, connectLimitMs);
    }

    /** What has been begun says nothing any more. */
    void forget() {
        EarlyProofs over = early;
        early = null;
        if (over != null) {
            over.close();
        }
    }

    /**
     * @param at the server's portal
     * @param initiators names of the VM's initiators, whose reservations are no obstacle
     * @param answer called on the loop, once, with why the VM must not be resumed on them; empty if nothing is wrong
     */
    void prove(InetSocketAddress at, List<ExportedUnit> units, Set<String> initiators, Consumer<String> answer) {
        List<ExportedUnit> waiting = new ArrayList<>(units);
        if (waiting.isEmpty()) {
            answer.accept("");
        }
        List<String> troubles = new ArrayList<>();
        for (ExportedUnit unit : units) {
            prove(at, unit, initiators, trouble -> {
                waiting.remove(unit);
                if (!trouble.isEmpty()) {
                    troubles.add(unit.name() + ": " + trouble);
                }
                if (waiting.isEmpty()) {
                    answer.accept(String.join("; ", troubles));
                }
            });
        }
    }

    private void prove(InetSocketAddress at, ExportedUnit unit, Set<String> initiators, Consumer<String> answer) {
        EarlyProofs begun = early;
        if (begun == null) {
            ask(at, unit, initiators, answer);
        } else {
            begun.await(unit, at, fit -> {
                if (fit) {
                    answer.accept("");
                } else {
                    ask(at, unit, initiators, answer);
                }
            });
        }
    }

    private void ask(InetSocketAddress at, ExportedUnit unit, Set<String> initiators, Consumer<String> answer) {
        UnitProbe probe = UnitProbe.open(loop, at, identity, unit.target(), unit.lun(), connectLimitMs);
        Consumer<UnitProbe.Outcome> told = outcome -> {
            probe.close();
            answer.accept(outcome.barred() ? "" : outcome.trouble());
        };
        probe.expect(unit.uuid());
        if (unit.readOnly()) {
            probe.read(UNIT_LIMIT_MS, told);
        } else {
            probe.prove(initiators, UNIT_LIMIT_MS, told);
        }
    }
}
