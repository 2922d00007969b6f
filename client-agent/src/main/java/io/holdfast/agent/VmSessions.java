package io.holdfast.agent;

import io.holdfast.agent.watch.ProcessSockets;
import io.holdfast.control.IscsiSession;
import io.holdfast.net.Addresses;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Which of a server's sessions are one VM's: those that its portal led there, and those whose connections its process holds.
 * Owned by the agent's loop.
 */
final class VmSessions {
    private static final int MAX_LED = 256;

    private final Executor loop;
    private final Executor besides;
    private final IntConsumer changed;
    private final IntFunction<Set<InetSocketAddress>> socketsOf;
    private final Map<Led, Boolean> led = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Led, Boolean> eldest) {
            return size() > MAX_LED;
        }
    };
    private final Set<IscsiSession> atServer = new LinkedHashSet<>();
    /** Counts what makes an older look at the process's sockets worthless. */
    private int looks;
    /** Closed since the last look began: it may have seen them open. Nothing while no look is under way. */
    private final Set<IscsiSession> closedMeanwhile = new HashSet<>();

    private boolean looking;
    /** What the server listed before QEMU was known: nobody has looked yet which of them are its. */
    private List<IscsiSession> unexamined = List.of();

    /** A login that was led to the server. */
    private record Led(String initiator, long isid, String target) {}

    /**
     * @param besides where things may block for milliseconds
     * @param changed told how many sessions there are, whenever that has changed
     */
    VmSessions(Executor loop, Executor besides, IntConsumer changed) {
        this(loop, besides, changed, VmSessions::connectionsOf);
    }

    VmSessions(Executor loop, Executor besides, IntConsumer changed, IntFunction<Set<InetSocketAddress>> socketsOf) {
        this.loop = loop;
        this.besides = besides;
        this.changed = changed;
        this.socketsOf = socketsOf;
    }

    private static Set<InetSocketAddress> connectionsOf(int pid) {
        Set<InetSocketAddress> local = new HashSet<>();
        ProcessSockets.established(pid).forEach(socket -> local.add(socket.local()));
        return local;
    }

    int atServer() {
        return atServer.size();
    }

    /** Targets that were logged in to through the portal. */
    Set<String> targets() {
        return led.keySet().stream().map(Led::target).collect(Collectors.toSet());
    }

    /** Names of the initiators that were led to the server. */
    Set<String> initiators() {
        return led.keySet().stream().map(Led::initiator).collect(Collectors.toSet());
    }

    void led(String initiator, long isid, String target) {
        led.put(new Led(initiator, isid, target), true);
    }

    /** QEMU is gone: what comes next is another process. */
    void forget() {
        led.clear();
        looks++;
    }

    void serverLost() {
        atServer.clear();
        unexamined = List.of();
        looks++;
    }

    void opened(IscsiSession session) {
        if (led.containsKey(new Led(session.initiator(), session.isid(), session.target()))) {
            atServer.add(session);
            changed.accept(atServer.size());
        }
    }

    /** @return whether it was this VM's */
    boolean closed(IscsiSession session) {
        if (looking) {
            closedMeanwhile.add(session);
        }
        unexamined = unexamined.stream().filter(other -> !other.equals(session)).toList();
        boolean ours = atServer.remove(session);
        if (ours) {
            changed.accept(atServer.size());
        }
        return ours;
    }

    /**
     * Finds the VM's among the sessions that a server lists. One that was merely silent still lists sessions whose
     * connections were broken; and after a restart of the agent only QEMU's own sockets tell which sessions are its.
     *
     * @param pid QEMU's process, or 0 as long as that is not known: then they are looked through when it is
     */
    void findIn(List<IscsiSession> listed, int pid) {
        int look = ++looks;
        looking = false;
        closedMeanwhile.clear();
        unexamined = pid == 0 ? List.copyOf(listed) : List.of();
        if (listed.isEmpty() || pid == 0) {
            return;
        }
        looking = true;
        besides.execute(() -> {
            Set<InetSocketAddress> alive = socketsOf.apply(pid);
            loop.execute(() -> {
                if (look == looks) {
                    looking = false;
                    listed.stream()
                            .filter(session -> !closedMeanwhile.contains(session))
                            .filter(session -> Addresses.parseNumeric(session.peer())
                                    .filter(alive::contains)
                                    .isPresent())
                            .forEach(atServer::add);
                    changed.accept(atServer.size());
                }
            });
        });
    }

    /** QEMU is known from now on. */
    void attached(int pid) {
        if (!unexamined.isEmpty()) {
            findIn(unexamined, pid);
        }
    }
}
