package io.holdfast.agent.watch;

import io.holdfast.control.AgentMessage;
import io.holdfast.control.ControlProtocol;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerMessage;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Units of one server that do not let the agent in, such as those of clients with a port name of their own: the server is asked to
 * look for itself, over the control connection. Servers of earlier versions cannot; their units pass unproved, as they always did.
 * Owned by the loop.
 */
final class BarredUnits {
    private static final Logger LOG = LoggerFactory.getLogger(BarredUnits.class);

    private final EventLoop loop;
    private final String server;
    private final int limitMs;
    private final Map<Long, Asked> open = new HashMap<>();
    private long lastId;
    private boolean able;
    private boolean unableTold;
    /** To the server of this moment; null while there is none. */
    private @Nullable Consumer<AgentMessage> connection;

    private record Asked(Consumer<String> answer, Future<?> timer) {}

    /** @param server its name, for people */
    BarredUnits(EventLoop loop, String server) {
        this(loop, server, ControlProtocol.PROOF_LIMIT_MS);
    }

    BarredUnits(EventLoop loop, String server, int limitMs) {
        this.loop = loop;
        this.server = server;
        this.limitMs = limitMs;
    }

    /** The server has introduced itself as one that speaks this version of the protocol. */
    void introduced(int protocol, Consumer<AgentMessage> to) {
        able = protocol >= ControlProtocol.PROVES_UNITS;
        unableTold &= !able;
        connection = to;
    }

    /** The server is lost: what it still answers is not heard, and whoever has asked is told by others. */
    void forget() {
        connection = null;
        List<Asked> asked = new ArrayList<>(open.values());
        open.clear();
        asked.forEach(question -> question.timer().cancel(false));
    }

    /**
     * @param initiators names of the VM's initiators, whose reservations are no obstacle
     * @param answer called on the loop, once unless the server is lost before, with why the VM must not be resumed on the unit;
     *     empty if nothing is wrong, or the server is one that cannot tell
     */
    void ask(ExportedUnit unit, Set<String> initiators, Consumer<String> answer) {
        Consumer<AgentMessage> to = connection;
        if (to == null) {
            answer.accept("the server is not heard");
            return;
        }
        if (!able) {
            tellUnable();
            answer.accept("");
            return;
        }
        long id = ++lastId;
        Future<?> timer = loop.schedule(
                () -> answered(new ServerMessage.UnitProved(id, "no answer within " + limitMs + " ms")),
                limitMs,
                TimeUnit.MILLISECONDS);
        open.put(id, new Asked(answer, timer));
        to.accept(new AgentMessage.ProveUnit(id, unit, List.copyOf(initiators)));
    }

    private void tellUnable() {
        if (!unableTold) {
            unableTold = true;
            LOG.warn(
                    "server {}: it is of an earlier version, and cannot prove units that do not let the agent in; their VMs are"
                            + " resumed without that",
                    server);
        }
    }

    void answered(ServerMessage.UnitProved proved) {
        Asked question = open.remove(proved.id());
        if (question != null) {
            question.timer().cancel(false);
            question.answer().accept(proved.objection());
        }
    }
}
