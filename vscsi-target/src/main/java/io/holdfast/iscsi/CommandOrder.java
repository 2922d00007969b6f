package io.holdfast.iscsi;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings the numbered requests of a session into the order of their CmdSN, whichever connections they come by (RFC 7143
 * §4.2.2.1). What comes early waits here; {@link CommandWindow} bounds how much that can be. Costs nothing while everything
 * comes in order. A value-like core: no channel, no clock; owned by the session's event loop.
 */
final class CommandOrder {
    /** Immediate requests that may wait for numbered ones before them. */
    static final int MAX_WAITING = 64;

    /** A numbered request that came before its turn. */
    interface Early {
        /** Its turn has come. */
        void due();

        /** True if it came by this connection. */
        boolean cameBy(FullFeaturePhase connection);
    }

    /** Stands where nothing will come any more. */
    private static final Early NOTHING = new Early() {
        @Override
        public void due() {}

        @Override
        public boolean cameBy(FullFeaturePhase connection) {
            return false;
        }
    };

    private record Waiting(int cmdSn, Runnable action) {}

    private final CommandWindow window;
    private final Map<Integer, Early> early = new HashMap<>();
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private boolean delivering;

    CommandOrder(CommandWindow window) {
        this.window = window;
    }

    CommandWindow window() {
        return window;
    }

    /** Judges a numbered request, and changes nothing. */
    CommandWindow.Verdict judge(int cmdSn) {
        CommandWindow.Verdict verdict = window.judge(cmdSn);
        return verdict == CommandWindow.Verdict.EARLY && early.containsKey(cmdSn)
                ? CommandWindow.Verdict.IGNORE
                : verdict;
    }

    /** The request whose turn it is has come, and is carried out. {@link #deliver} is due afterwards. */
    void taken() {
        window.advance();
    }

    /** A request that was judged {@code EARLY} waits for its turn. */
    void keep(int cmdSn, Early request) {
        early.put(cmdSn, request);
    }

    /** Nothing will come with this number any more, or what came is void. {@link #deliver} is due afterwards. */
    void skip(int cmdSn) {
        if (window.judge(cmdSn) != CommandWindow.Verdict.IGNORE) {
            early.put(cmdSn, NOTHING);
        }
    }

    /** A connection is gone: what came early by it was never acknowledged, and may come again by another. */
    void forget(FullFeaturePhase connection) {
        early.values().removeIf(request -> request.cameBy(connection));
    }

    /** True if every numbered request before this number has come. */
    boolean isComplete(int cmdSn) {
        return cmdSn - window.expCmdSn() <= 0;
    }

    /**
     * Runs something as soon as every numbered request before this number has come.
     *
     * @return false if too many wait already
     */
    boolean whenComplete(int cmdSn, Runnable action) {
        if (waiting.size() >= MAX_WAITING) {
            return false;
        }
        waiting.add(new Waiting(cmdSn, action));
        return true;
    }

    /** Carries out what need not wait any longer. */
    void deliver() {
        if (!delivering && !(early.isEmpty() && waiting.isEmpty())) {
            delivering = true;
            deliverAll();
            delivering = false;
        }
    }

    private void deliverAll() {
        Early next = nextInOrder();
        while (next != null) {
            window.advance();
            if (next == NOTHING) {
                window.ended();
            }
            next.due();
            next = nextInOrder();
        }
    }

    /** First those immediate requests that wait for no more than has come: they may void what comes next. */
    private @Nullable Early nextInOrder() {
        List<Waiting> ready = new ArrayList<>();
        waiting.removeIf(each -> isComplete(each.cmdSn()) && ready.add(each));
        ready.forEach(each -> each.action().run());
        return early.remove(window.expCmdSn());
    }
}
