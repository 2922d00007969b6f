package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.IscsiSession;
import io.holdfast.net.AddressException;
import io.holdfast.net.Addresses;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VmSessionsTest {
    private static final IscsiSession SESSION = new IscsiSession("iqn.i:vm", 5, "iqn.t:disk", "127.0.0.1:4000");
    private static final int PID = 77;

    private final Deque<Runnable> besides = new ArrayDeque<>();
    private final List<Integer> counts = new ArrayList<>();
    private final InetSocketAddress alive;
    private final VmSessions sessions;

    VmSessionsTest() throws AddressException {
        alive = Addresses.parse("peer", SESSION.peer());
        sessions = new VmSessions(Runnable::run, besides::add, counts::add, pid -> Set.of(alive));
    }

    @Test
    void shouldFindTheSessionsWhoseConnectionsTheProcessHolds() {
        sessions.findIn(List.of(SESSION, new IscsiSession("iqn.i:other", 6, "iqn.t:disk", "127.0.0.1:4001")), PID);
        besides.remove().run();

        assertThat(counts).containsExactly(1);
    }

    @Test
    void shouldNotBelieveALookFromBeforeTheServerWasLost() {
        sessions.findIn(List.of(SESSION), PID);
        sessions.serverLost();
        // The same server is back at the same address, and lists nothing yet.
        sessions.findIn(List.of(), PID);

        besides.remove().run();

        assertThat(counts).isEmpty();
        assertThat(sessions.atServer()).isZero();
    }

    @Test
    void shouldNotCountASessionThatWasClosedDuringTheLook() {
        sessions.findIn(List.of(SESSION), PID);
        sessions.closed(SESSION);

        besides.remove().run();

        assertThat(sessions.atServer()).isZero();
    }

    @Test
    void shouldCountOnlySessionsThatThePortalLedThere() {
        sessions.led("iqn.i:vm", 5, "iqn.t:disk");

        sessions.opened(SESSION);
        sessions.opened(new IscsiSession("iqn.i:stranger", 5, "iqn.t:disk", "127.0.0.1:4002"));

        assertThat(sessions.atServer()).isEqualTo(1);
        assertThat(sessions.closed(SESSION)).isTrue();
        assertThat(counts).containsExactly(1, 0);
    }

    @Test
    void shouldFindTheSessionsOfAQemuThatIsKnownLaterThanTheServer() {
        sessions.findIn(List.of(SESSION), 0);
        assertThat(besides).isEmpty();

        sessions.attached(PID);
        besides.remove().run();

        assertThat(counts).containsExactly(1);
        sessions.attached(PID);
        assertThat(besides).as("once is enough").isEmpty();
    }

    @Test
    void shouldNotLookForSessionsThatHaveEndedBeforeQemuIsKnown() {
        sessions.findIn(List.of(SESSION), 0);
        sessions.closed(SESSION);

        sessions.attached(PID);

        assertThat(besides).isEmpty();
    }

    @Test
    void shouldNotLookForSessionsOfAServerThatWasLostMeanwhile() {
        sessions.findIn(List.of(SESSION), 0);
        sessions.serverLost();

        sessions.attached(PID);

        assertThat(besides).isEmpty();
    }
}
