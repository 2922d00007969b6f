package io.holdfast.drills;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** When facts seen from outside began. Thread-safe: several threads look, the drill's thread asks. */
final class FactLog {

    /** What can be seen without asking any of the programs. */
    enum Fact {
        /** A TCP connection to the server's port succeeds. */
        SERVER_LISTENS,
        /** QEMU holds a TCP connection to the server. */
        QEMU_AT_SERVER,
        /** QEMU holds a TCP connection to the agent's portal. */
        QEMU_AT_PORTAL
    }

    private final Map<Fact, List<Long>> beginnings = new EnumMap<>(Fact.class);

    synchronized void began(Fact fact, long atNs) {
        beginnings.computeIfAbsent(fact, unused -> new ArrayList<>()).add(atNs);
    }

    /** The first time the fact began at {@code notBeforeNs} or later. */
    synchronized OptionalLong firstFrom(Fact fact, long notBeforeNs) {
        return beginnings.getOrDefault(fact, List.of()).stream()
                .mapToLong(Long::longValue)
                .filter(atNs -> atNs >= notBeforeNs)
                .min();
    }
}
