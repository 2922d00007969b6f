package io.holdfast.management.plane;

import io.holdfast.npiv.Client;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.LoginDirectory;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Everything the control plane keeps, at one moment. Immutable; every command makes the next one, and its version is the
 * fabric's.
 */
public final class PlaneState {
    private final UUID id;
    private final Fabric fabric;
    private final SortedMap<String, LuBacking> backings;
    private final SortedMap<String, StoragePool> pools;
    private final SortedMap<Integer, ClientSecret> secrets;
    private final SortedMap<String, EventActions> actions;
    private final SortedMap<String, AccessToken> tokens;
    private final SortedMap<String, OperatorEvent> raised;
    private volatile @Nullable LoginDirectory directory;

    PlaneState(
            UUID id,
            Fabric fabric,
            SortedMap<String, LuBacking> backings,
            SortedMap<String, StoragePool> pools,
            SortedMap<Integer, ClientSecret> secrets,
            SortedMap<String, EventActions> actions,
            SortedMap<String, AccessToken> tokens,
            SortedMap<String, OperatorEvent> raised) {
        this.id = id;
        this.fabric = fabric;
        this.backings = Collections.unmodifiableSortedMap(backings);
        this.pools = Collections.unmodifiableSortedMap(pools);
        this.secrets = Collections.unmodifiableSortedMap(secrets);
        this.actions = Collections.unmodifiableSortedMap(actions);
        this.tokens = Collections.unmodifiableSortedMap(tokens);
        this.raised = Collections.unmodifiableSortedMap(raised);
    }

    /** Nothing yet. */
    public static PlaneState empty(UUID id) {
        return new PlaneState(
                id,
                Fabric.EMPTY,
                new TreeMap<>(),
                new TreeMap<>(),
                new TreeMap<>(),
                new TreeMap<>(),
                new TreeMap<>(),
                new TreeMap<>());
    }

    /** Goes up by one with every command. */
    public long version() {
        return fabric.version();
    }

    /** Of this server's state, made up once; what locally assigned port names are made of. */
    public UUID id() {
        return id;
    }

    public Fabric fabric() {
        return fabric;
    }

    /** By LU. */
    public SortedMap<String, LuBacking> backings() {
        return backings;
    }

    /** By name. */
    public SortedMap<String, StoragePool> pools() {
        return pools;
    }

    /** By client's id. */
    public SortedMap<Integer, ClientSecret> secrets() {
        return secrets;
    }

    /** By VM. */
    public SortedMap<String, EventActions> actions() {
        return actions;
    }

    /** By name. */
    public SortedMap<String, AccessToken> tokens() {
        return tokens;
    }

    /** What operators have raised, by name. */
    public SortedMap<String, OperatorEvent> raised() {
        return raised;
    }

    /** A client's CHAP secret; empty if it needs none. */
    public Optional<String> secretOf(Client client) {
        return Optional.ofNullable(secrets.get(client.id())).map(ClientSecret::secret);
    }

    /** Who may log in where. Made at the first call for each version, then kept. */
    public LoginDirectory directory(String targetPrefix) {
        LoginDirectory made = directory;
        if (made == null) {
            made = new LoginDirectory(fabric, targetPrefix);
            directory = made;
        }
        return made;
    }

    Draft draft(Fabric next) {
        return new Draft(this, next);
    }

    /** The next state in the making. */
    static final class Draft {
        final PlaneState before;
        final Fabric fabric;
        private SortedMap<String, LuBacking> backings;
        private SortedMap<String, StoragePool> pools;
        private SortedMap<Integer, ClientSecret> secrets;
        private SortedMap<String, EventActions> actions;
        private SortedMap<String, AccessToken> tokens;
        private SortedMap<String, OperatorEvent> raised;

        private Draft(PlaneState before, Fabric fabric) {
            this.before = before;
            this.fabric = fabric;
            this.backings = before.backings;
            this.pools = before.pools;
            this.secrets = before.secrets;
            this.actions = before.actions;
            this.tokens = before.tokens;
            this.raised = before.raised;
        }

        long version() {
            return fabric.version();
        }

        Draft put(LuBacking row) {
            backings = with(backings, row.name(), row);
            return this;
        }

        Draft put(StoragePool row) {
            pools = with(pools, row.name(), row);
            return this;
        }

        Draft put(ClientSecret row) {
            secrets = with(secrets, row.client(), row);
            return this;
        }

        Draft put(EventActions row) {
            actions = with(actions, row.vm(), row);
            return this;
        }

        Draft put(AccessToken row) {
            tokens = with(tokens, row.name(), row);
            return this;
        }

        Draft put(OperatorEvent row) {
            raised = with(raised, row.name(), row);
            return this;
        }

        Draft removeRaised(String name) {
            raised = with(raised, name, null);
            return this;
        }

        Draft removeBacking(String name) {
            backings = with(backings, name, null);
            return this;
        }

        Draft removePool(String name) {
            pools = with(pools, name, null);
            return this;
        }

        Draft removeSecret(int client) {
            secrets = with(secrets, client, null);
            return this;
        }

        Draft removeActions(String vm) {
            actions = with(actions, vm, null);
            return this;
        }

        Draft removeToken(String name) {
            tokens = with(tokens, name, null);
            return this;
        }

        PlaneState done() {
            return new PlaneState(before.id, fabric, backings, pools, secrets, actions, tokens, raised);
        }

        private static <K, V> SortedMap<K, V> with(Map<K, V> from, K key, @Nullable V row) {
            SortedMap<K, V> copy = new TreeMap<>(from);
            if (row == null) {
                copy.remove(key);
            } else {
                copy.put(key, row);
            }
            return copy;
        }
    }
}
