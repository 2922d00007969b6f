package io.holdfast.management.plane;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.control.ControlJson;
import io.holdfast.control.ControlJson.Fields;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.FabricState;
import io.holdfast.npiv.Outcome;
import io.holdfast.npiv.ZonePolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A state as rows by kind and key: what files hold, and what they are read into. */
final class StateRows {
    private static final String KIND = "k";
    private static final String ROW = "r";
    private static final String KEY = "key";

    private static final Map<String, RowKind<?, ?>> BY_NAME = new LinkedHashMap<>();

    static {
        RowKind.ALL.forEach(kind -> BY_NAME.put(kind.label(), kind));
    }

    /** By key, as they came: a whole state's rows are in the order of their keys, and changes add few. */
    private final Map<RowKind<?, ?>, Map<Object, Object>> rows = new HashMap<>();

    StateRows() {
        RowKind.ALL.forEach(kind -> rows.put(kind, new LinkedHashMap<>()));
    }

    // ------------------------------------------------------------------ writing

    /** Gets each row of a state. */
    interface Sink {
        void row(byte[] json) throws IOException;
    }

    static int writeAll(PlaneState state, Sink sink) throws IOException {
        int count = 0;
        for (RowKind<?, ?> kind : RowKind.ALL) {
            count += writeAll(kind, state, sink);
        }
        return count;
    }

    private static <R, K extends Comparable<? super K>> int writeAll(RowKind<R, K> kind, PlaneState state, Sink sink)
            throws IOException {
        int count = 0;
        for (R row : kind.of(state)) {
            sink.row(ControlJson.bytes(out -> writeRow(kind, row, out)));
            count++;
        }
        return count;
    }

    private static <R> void writeRow(RowKind<R, ?> kind, R row, JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField(KIND, kind.label());
        out.writeObjectFieldStart(ROW);
        kind.write(row, out);
        out.writeEndObject();
        out.writeEndObject();
    }

    /** Writes what is different, as the fields {@code put} and {@code del}. */
    static void writeChange(PlaneState before, PlaneState after, JsonGenerator out) throws IOException {
        List<Gone> gone = new ArrayList<>();
        out.writeArrayFieldStart("put");
        for (RowKind<?, ?> kind : RowKind.ALL) {
            writePuts(kind, before, after, gone, out);
        }
        out.writeEndArray();
        out.writeArrayFieldStart("del");
        for (Gone row : gone) {
            out.writeStartObject();
            out.writeStringField(KIND, row.kind());
            out.writeStringField(KEY, row.key());
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private record Gone(String kind, String key) {}

    /** Both are in the order of their keys, and rows that nobody changed are the same objects. */
    @SuppressWarnings("ReferenceEquality") // The same object is the quick way to see that nothing changed.
    private static <R, K extends Comparable<? super K>> void writePuts(
            RowKind<R, K> kind, PlaneState before, PlaneState after, List<Gone> gone, JsonGenerator out)
            throws IOException {
        Iterator<R> olds = kind.of(before).iterator();
        Iterator<R> news = kind.of(after).iterator();
        R old = next(olds);
        R now = next(news);
        while (old != null || now != null) {
            int order = old == now
                    ? 0
                    : old == null ? 1 : now == null ? -1 : kind.order().compare(kind.keyOf(old), kind.keyOf(now));
            if (order < 0 && old != null) {
                gone.add(new Gone(kind.label(), kind.keyOf(old).toString()));
            } else if (now != null && (order > 0 || old != now && !now.equals(old))) {
                writeRow(kind, now, out);
            }
            if (order <= 0) {
                old = next(olds);
            }
            if (order >= 0) {
                now = next(news);
            }
        }
    }

    private static <R> @Nullable R next(Iterator<R> rows) {
        return rows.hasNext() ? rows.next() : null;
    }

    // ------------------------------------------------------------------ reading

    /** @throws IllegalArgumentException if it is no row that this version knows */
    void put(Fields fields) {
        put(kind(fields), fields.object(ROW));
    }

    private <R, K extends Comparable<? super K>> void put(RowKind<R, K> kind, Fields fields) {
        R row = kind.read(fields);
        table(kind).put(kind.keyOf(row), row);
    }

    void apply(Fields change) {
        change.objects("put").forEach(this::put);
        for (Fields gone : change.objects("del")) {
            RowKind<?, ?> kind = kind(gone);
            if (table(kind).remove(kind.parsedKey(gone.text(KEY))) == null) {
                throw new IllegalArgumentException(
                        "it removes " + gone.text(KIND) + " " + gone.text(KEY) + ", which is not there");
            }
        }
    }

    private static RowKind<?, ?> kind(Fields fields) {
        RowKind<?, ?> kind = BY_NAME.get(fields.text(KIND));
        if (kind == null) {
            throw new IllegalArgumentException(
                    "'" + fields.text(KIND) + "' is a kind of row that this version of" + " Holdfast does not know");
        }
        return kind;
    }

    private Map<Object, Object> table(RowKind<?, ?> kind) {
        return Objects.requireNonNull(rows.get(kind));
    }

    /** In the order of their keys. */
    @SuppressWarnings("unchecked") // Only put() fills the tables, with what the kind itself has read.
    private <R, K extends Comparable<? super K>> List<R> all(RowKind<R, K> kind) {
        List<Map.Entry<K, R>> sorted = new ArrayList<>();
        K last = null;
        boolean inOrder = true;
        for (Map.Entry<Object, Object> row : table(kind).entrySet()) {
            K key = (K) row.getKey();
            inOrder &= last == null || last.compareTo(key) < 0;
            last = key;
            sorted.add((Map.Entry<K, R>) (Map.Entry<?, ?>) row);
        }
        if (!inOrder) {
            sorted.sort(Map.Entry.comparingByKey(kind.order()));
        }
        List<R> all = new ArrayList<>(sorted.size());
        sorted.forEach(row -> all.add(row.getValue()));
        return all;
    }

    private <R, K extends Comparable<? super K>> SortedMap<K, R> byKey(RowKind<R, K> kind) {
        SortedMap<K, R> copy = new TreeMap<>();
        for (R row : all(kind)) {
            copy.put(kind.keyOf(row), row);
        }
        return copy;
    }

    /** @throws IOException if the rows contradict each other */
    PlaneState state(UUID id, long version) throws IOException {
        List<RowKind.Counters> counters = all(RowKind.COUNTERS);
        List<ZonePolicy> policy = all(RowKind.ZONE_POLICY);
        FabricState fabric = new FabricState(
                version,
                counters.isEmpty() ? Fabric.EMPTY.nextClient() : counters.get(0).nextClient(),
                counters.isEmpty() ? Fabric.EMPTY.nextServer() : counters.get(0).nextServer(),
                policy.isEmpty() ? Fabric.EMPTY.zonePolicy() : policy.get(0),
                all(RowKind.RETIRED),
                all(RowKind.WWPN_POOL),
                all(RowKind.CLIENT),
                all(RowKind.ADAPTER),
                all(RowKind.SERVER),
                all(RowKind.PORT),
                all(RowKind.ZONE),
                all(RowKind.LU),
                all(RowKind.MAP),
                all(RowKind.INITIATOR));
        Outcome outcome = Fabric.of(fabric);
        if (outcome instanceof Outcome.Refused refused) {
            throw new IOException(refused.refusal().message());
        }
        return new PlaneState(
                id,
                ((Outcome.Done) outcome).fabric(),
                byKey(RowKind.BACKING),
                byKey(RowKind.POOL),
                byKey(RowKind.SECRET),
                byKey(RowKind.ACTIONS),
                byKey(RowKind.TOKEN),
                byKey(RowKind.RAISED));
    }
}
