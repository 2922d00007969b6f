package io.holdfast.iscsi;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps stale writes from landing: a session's writes are admitted only when every older session of the same initiator at
 * the same target has been settled, which means it is gone and its last write has finished or been discarded, or it has
 * proved that its initiator still uses it.
 *
 * <p>Why it is needed: an initiator that reconnects sends its unfinished writes again and goes on. A write of its old
 * connection that is still queued here would then overwrite newer, acknowledged data. QEMU's initiator picks a new ISID at
 * every reconnect, so session reinstatement (RFC 7143 §6.3.5) does not catch it.
 *
 * <p>Thread-safe; the lock is held for set operations only. Sessions are called outside it.
 */
final class WriteAdmission {

    /** A session as this class sees it. */
    interface Member {
        /** Initiator session identifier. */
        long isid();

        /** Which target port it is at. */
        int portalGroupTag();

        /**
         * Find out whether the session is still in use and tell {@link WriteAdmission#settled} of it, in bounded time.
         * Called on any thread.
         *
         * @param reinstated the newer session is of the same initiator port at the same target port (RFC 7143 §6.3.5):
         *     this one is to be closed at once
         */
        void settle(boolean reinstated);

        /** No older session can write any more. Called on any thread. */
        void admitted();
    }

    /** One initiator at one target. */
    record Key(String initiatorName, String targetName) {
        // Written out: what a record brings along costs the first login after a start some milliseconds.

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key
                    && initiatorName.equals(key.initiatorName)
                    && targetName.equals(key.targetName);
        }

        @Override
        public int hashCode() {
            return 31 * initiatorName.hashCode() + targetName.hashCode();
        }
    }

    private final Map<Key, Set<Member>> members = new HashMap<>();
    private final Map<Member, Set<Member>> awaited = new HashMap<>();

    /** A session enters full feature phase. {@link Member#admitted} is called, now or later. */
    void join(Key key, Member newcomer) {
        List<Member> older;
        synchronized (this) {
            Set<Member> present = members.computeIfAbsent(key, k -> new LinkedHashSet<>());
            older = new ArrayList<>(present);
            present.add(newcomer);
            if (!older.isEmpty()) {
                awaited.put(newcomer, new LinkedHashSet<>(older));
            }
        }
        if (older.isEmpty()) {
            newcomer.admitted();
        } else {
            older.forEach(member -> member.settle(isSameNexus(member, newcomer)));
        }
    }

    private static boolean isSameNexus(Member one, Member other) {
        return one.isid() == other.isid() && one.portalGroupTag() == other.portalGroupTag();
    }

    /** This session is alive: those that wait for it need not. */
    void settled(Member member) {
        admit(stopWaitingFor(member));
    }

    /** This session is gone and its last write has finished or been discarded. */
    void left(Key key, Member member) {
        List<Member> free;
        synchronized (this) {
            Set<Member> present = members.get(key);
            if (present != null && present.remove(member) && present.isEmpty()) {
                members.remove(key);
            }
            awaited.remove(member);
            free = stopWaitingFor(member);
        }
        admit(free);
    }

    /** True if no session is left, drained or not. */
    synchronized boolean isEmpty() {
        return members.isEmpty();
    }

    private synchronized List<Member> stopWaitingFor(Member member) {
        List<Member> free = new ArrayList<>();
        awaited.entrySet().removeIf(entry -> {
            entry.getValue().remove(member);
            if (entry.getValue().isEmpty()) {
                free.add(entry.getKey());
                return true;
            }
            return false;
        });
        return free;
    }

    private static void admit(List<Member> free) {
        free.forEach(Member::admitted);
    }
}
