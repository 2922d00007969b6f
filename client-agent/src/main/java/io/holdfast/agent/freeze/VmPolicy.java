package io.holdfast.agent.freeze;

import java.util.Set;

/**
 * What an administrator wants of one VM.
 *
 * @param servers the names of the servers its disks may be at
 * @param units whether its logical units must prove that they read and write before it is resumed
 * @param limitMs how long it may be frozen before something else is done; 0 for as long as it takes
 * @param then what is done then
 */
public record VmPolicy(Set<String> servers, Units units, long limitMs, Then then) {
    /** What logical units must do before a VM is resumed on them. */
    public enum Units {
        PROVED,
        /** Nothing: the server's word and the VM's own sessions are enough. */
        TRUSTED
    }

    /** What is done to a VM that has been frozen for its limit. */
    public enum Then {
        /** It stays frozen, and somebody is told. */
        ALERT,
        /** QEMU is ended. */
        POWER_OFF,
        /** The VM's hook is run. */
        HOOK
    }

    /** One server, no proof by reading and writing, no limit. */
    public static final VmPolicy PLAIN = new VmPolicy(Set.of(FreezeEvent.ONLY_SERVER), Units.TRUSTED, 0, Then.ALERT);

    public VmPolicy {
        servers = Set.copyOf(servers);
    }
}
