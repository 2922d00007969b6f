package io.holdfast.control;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The units that one agent has its server prove. Every question is answered, within a limit, which is also how long it may wait for
 * its turn. Owned by the connection's loop.
 */
final class AskedProofs {
    private static final Logger LOG = LoggerFactory.getLogger(AskedProofs.class);
    /**
     * Unanswered ones. Those whose time is up do not count: what their storage still holds up is bounded by the {@link UnitProver},
     * and keeps no other unit from being proved.
     */
    static final int MAX_OPEN = 256;

    private final EventExecutor loop;
    private final Consumer<ServerMessage> reply;
    private final int limitMs;
    private final Set<Proof> open = new HashSet<>();

    AskedProofs(EventExecutor loop, Consumer<ServerMessage> reply) {
        this(loop, reply, ControlProtocol.PROOF_LIMIT_MS);
    }

    AskedProofs(EventExecutor loop, Consumer<ServerMessage> reply, int limitMs) {
        this.loop = loop;
        this.reply = reply;
        this.limitMs = limitMs;
    }

    void ask(AgentMessage.ProveUnit question, UnitProver prover) {
        if (open.size() >= MAX_OPEN) {
            reply.accept(new ServerMessage.UnitProved(
                    question.id(), "the server proves " + MAX_OPEN + " units for this agent already"));
            return;
        }
        Proof proof = new Proof(question.id());
        open.add(proof);
        proof.begin(question, prover);
    }

    /** The agent has gone. */
    void close() {
        open.forEach(Proof::giveUp);
    }

    private final class Proof {
        private final long id;
        private Runnable givingUp = () -> {};
        private @Nullable Future<?> timer;
        private boolean answered;

        Proof(long id) {
            this.id = id;
        }

        void begin(AgentMessage.ProveUnit question, UnitProver prover) {
            timer = loop.schedule(this::overdue, limitMs, TimeUnit.MILLISECONDS);
            try {
                givingUp = prover.prove(question.unit(), Set.copyOf(question.initiators()), this::endedElsewhere);
            } catch (RuntimeException | LinkageError e) {
                LOG.error("unit {} cannot be proved", question.unit().name(), e);
                ended("the server fails to prove it: " + e);
            }
        }

        private void endedElsewhere(String objection) {
            try {
                loop.execute(() -> ended(objection));
            } catch (RejectedExecutionException e) {
                LOG.debug("the answer to question {} is not sent: the connection's thread has ended", id, e);
            }
        }

        private void ended(String objection) {
            open.remove(this);
            answer(objection);
        }

        private void overdue() {
            ended("no answer within " + limitMs + " ms");
            givingUp.run();
        }

        private void answer(String objection) {
            Future<?> running = timer;
            if (running != null) {
                running.cancel(false);
            }
            if (!answered) {
                answered = true;
                reply.accept(new ServerMessage.UnitProved(id, objection));
            }
        }

        void giveUp() {
            answered = true;
            Future<?> running = timer;
            if (running != null) {
                running.cancel(false);
            }
            givingUp.run();
        }
    }
}
