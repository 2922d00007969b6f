package io.holdfast.agent;

import io.holdfast.agent.freeze.FreezeState;

/**
 * How a VM stands.
 *
 * @param portal where its portal listens, {@code ip:port}
 * @param why how it came to its state, for people
 * @param forMs how long it has been in it
 * @param pid QEMU's process, 0 if unknown
 * @param sessionsAtServer how many of its sessions are known to be at the server
 * @param sessionsStoodIn how many the portal answers itself
 */
public record VmStatus(
        String vm,
        String portal,
        FreezeState state,
        String why,
        long forMs,
        int pid,
        int sessionsAtServer,
        int sessionsStoodIn) {}
