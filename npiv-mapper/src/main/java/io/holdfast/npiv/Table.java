package io.holdfast.npiv;

import java.util.Collection;
import java.util.Collections;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The objects of one kind by their key. A {@link Fabric}'s tables never change; a {@link FabricDraft} works on drafts of
 * them, which share the rows until the first change.
 */
final class Table<K extends Comparable<? super K>, V extends FabricObject> {
    private final String kind;
    private final Function<V, K> key;
    private NavigableMap<K, V> rows;
    private boolean shared;
    /** Rows changed after this version are not what the caller has seen. */
    private final long basis;
    /** The version being made: its own changes are no surprise. */
    private final long making;

    private Table(String kind, Function<V, K> key, NavigableMap<K, V> rows, long basis, long making) {
        this.kind = kind;
        this.key = key;
        this.rows = rows;
        this.shared = true;
        this.basis = basis;
        this.making = making;
    }

    static <K extends Comparable<? super K>, V extends FabricObject> Table<K, V> empty(
            String kind, Function<V, K> key) {
        return new Table<>(kind, key, new TreeMap<>(), Long.MAX_VALUE, 0);
    }

    Table<K, V> draft(long seenVersion, long newVersion) {
        return new Table<>(kind, key, rows, seenVersion, newVersion);
    }

    @Nullable
    V find(K id) {
        return rows.get(id);
    }

    V need(K id) {
        V row = rows.get(id);
        if (row == null) {
            throw new RefusedException(new Refusal.Unknown(kind, id.toString()));
        }
        return row;
    }

    Collection<V> all() {
        return Collections.unmodifiableCollection(rows.values());
    }

    /** Those from one key up to, not including, another. */
    Collection<V> range(K from, K to) {
        return Collections.unmodifiableCollection(rows.subMap(from, to).values());
    }

    void add(V row) {
        V there = own().putIfAbsent(key.apply(row), row);
        if (there != null) {
            throw new RefusedException(new Refusal.Exists(there.label()));
        }
    }

    /** A change that somebody who looked at the row before would want to know of. */
    void replace(V row) {
        requireSeen(need(key.apply(row)));
        own().put(key.apply(row), row);
    }

    /** A change that contradicts nobody: a counter moved on, a name that went took its memberships along. */
    void adjust(V row) {
        own().put(key.apply(row), row);
    }

    V remove(K id) {
        V row = need(id);
        requireSeen(row);
        own().remove(id);
        return row;
    }

    /** Goes along with something else that is removed. */
    void drop(K id) {
        own().remove(id);
    }

    private void requireSeen(V row) {
        if (row.revision() > basis && row.revision() != making) {
            throw new RefusedException(new Refusal.Stale(row.label(), row.revision(), basis));
        }
    }

    private NavigableMap<K, V> own() {
        if (shared) {
            rows = new TreeMap<>(rows);
            shared = false;
        }
        return rows;
    }
}
