package io.holdfast.management.plane;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.control.ControlJson.Fields;
import io.holdfast.control.operator.Role;
import io.holdfast.npiv.AdapterId;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.ClientKind;
import io.holdfast.npiv.DefaultZone;
import io.holdfast.npiv.InitiatorBinding;
import io.holdfast.npiv.Lu;
import io.holdfast.npiv.LuMap;
import io.holdfast.npiv.MapAccess;
import io.holdfast.npiv.Migration;
import io.holdfast.npiv.PhysicalPort;
import io.holdfast.npiv.RetiredPrefix;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.npiv.Sharing;
import io.holdfast.npiv.Side;
import io.holdfast.npiv.Wwpn;
import io.holdfast.npiv.WwpnPair;
import io.holdfast.npiv.WwpnPool;
import io.holdfast.npiv.WwpnPrefix;
import io.holdfast.npiv.Zone;
import io.holdfast.npiv.ZonePolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The table of what a state consists of, and how each row stands in a file. By Jackson's streams: its data binding takes
 * as long to warm up as a server takes to start. Each is a class of its own and not a handful of lambdas: ninety of those
 * would have to be linked, one after the other, before a server can read its state.
 *
 * @param <R> the rows
 * @param <K> what tells them apart, in the order the state has them
 */
abstract class RowKind<R, K extends Comparable<? super K>> {

    /** The counters that are the fabric's and no row's. */
    record Counters(int nextClient, int nextServer) {}

    static final RowKind<Counters, Integer> COUNTERS = new Numbered<>("counters") {
        @Override
        Collection<Counters> of(PlaneState state) {
            return List.of(
                    new Counters(state.fabric().nextClient(), state.fabric().nextServer()));
        }

        @Override
        Integer keyOf(Counters row) {
            return 0;
        }

        @Override
        void write(Counters row, JsonGenerator out) throws IOException {
            out.writeNumberField("nextClient", row.nextClient());
            out.writeNumberField("nextServer", row.nextServer());
        }

        @Override
        Counters read(Fields in) {
            return new Counters((int) in.number("nextClient"), (int) in.number("nextServer"));
        }
    };

    static final RowKind<ZonePolicy, Integer> ZONE_POLICY = new Numbered<>("zone-policy") {
        @Override
        Collection<ZonePolicy> of(PlaneState state) {
            return List.of(state.fabric().zonePolicy());
        }

        @Override
        Integer keyOf(ZonePolicy row) {
            return 0;
        }

        @Override
        void write(ZonePolicy row, JsonGenerator out) throws IOException {
            out.writeStringField("others", row.others().name());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        ZonePolicy read(Fields in) {
            return new ZonePolicy(DefaultZone.valueOf(in.text("others")), in.number("revision"));
        }
    };

    static final RowKind<RetiredPrefix, String> RETIRED = new Named<>("retired") {
        @Override
        Collection<RetiredPrefix> of(PlaneState state) {
            return state.fabric().retiredPrefixes();
        }

        @Override
        String keyOf(RetiredPrefix row) {
            return row.prefix().digits();
        }

        @Override
        void write(RetiredPrefix row, JsonGenerator out) throws IOException {
            out.writeStringField("prefix", row.prefix().digits());
            out.writeNumberField("nextPair", row.nextPair());
        }

        @Override
        RetiredPrefix read(Fields in) {
            return new RetiredPrefix(new WwpnPrefix(in.text("prefix")), in.number("nextPair"));
        }
    };

    static final RowKind<WwpnPool, String> WWPN_POOL = new Named<>("wwpn-pool") {
        @Override
        Collection<WwpnPool> of(PlaneState state) {
            return state.fabric().pools();
        }

        @Override
        String keyOf(WwpnPool row) {
            return row.name();
        }

        @Override
        void write(WwpnPool row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            out.writeStringField("prefix", row.prefix().digits());
            out.writeNumberField("nextPair", row.nextPair());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        WwpnPool read(Fields in) {
            return new WwpnPool(
                    in.text("name"), new WwpnPrefix(in.text("prefix")), in.number("nextPair"), in.number("revision"));
        }
    };

    static final RowKind<Client, Integer> CLIENT = new Numbered<>("client") {
        @Override
        Collection<Client> of(PlaneState state) {
            return state.fabric().clients();
        }

        @Override
        Integer keyOf(Client row) {
            return row.id();
        }

        @Override
        void write(Client row, JsonGenerator out) throws IOException {
            out.writeNumberField("id", row.id());
            out.writeStringField("name", row.name());
            out.writeStringField("kind", row.kind().name());
            out.writeStringField("migration", row.migration().name());
            out.writeNumberField("nextSlot", row.nextSlot());
            out.writeNumberField("nextLun", row.nextLun());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        Client read(Fields in) {
            return new Client(
                    (int) in.number("id"),
                    in.text("name"),
                    ClientKind.valueOf(in.text("kind")),
                    Migration.valueOf(in.text("migration")),
                    (int) in.number("nextSlot"),
                    (int) in.number("nextLun"),
                    in.number("revision"));
        }
    };

    static final RowKind<ClientAdapter, AdapterId> ADAPTER = new OfClient<>("adapter") {
        @Override
        Collection<ClientAdapter> of(PlaneState state) {
            return state.fabric().adapters();
        }

        @Override
        AdapterId keyOf(ClientAdapter row) {
            return row.id();
        }

        @Override
        void write(ClientAdapter row, JsonGenerator out) throws IOException {
            out.writeNumberField("client", row.id().client());
            out.writeNumberField("slot", row.id().slot());
            out.writeStringField("pool", row.pool());
            out.writeStringField("first", row.pair().first().toString());
            out.writeStringField("second", row.pair().second().toString());
            out.writeStringField("active", row.active().name());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        ClientAdapter read(Fields in) {
            return new ClientAdapter(
                    new AdapterId((int) in.number("client"), (int) in.number("slot")),
                    in.text("pool"),
                    new WwpnPair(Wwpn.parse(in.text("first")), Wwpn.parse(in.text("second"))),
                    Side.valueOf(in.text("active")),
                    in.number("revision"));
        }
    };

    static final RowKind<ServerAdapter, Integer> SERVER = new Numbered<>("server") {
        @Override
        Collection<ServerAdapter> of(PlaneState state) {
            return state.fabric().servers();
        }

        @Override
        Integer keyOf(ServerAdapter row) {
            return row.number();
        }

        @Override
        void write(ServerAdapter row, JsonGenerator out) throws IOException {
            out.writeNumberField("number", row.number());
            out.writeNumberField("client", row.client().client());
            out.writeNumberField("slot", row.client().slot());
            optional(out, "port", row.port());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        ServerAdapter read(Fields in) {
            return new ServerAdapter(
                    (int) in.number("number"),
                    new AdapterId((int) in.number("client"), (int) in.number("slot")),
                    optional(in, "port"),
                    in.number("revision"));
        }
    };

    static final RowKind<PhysicalPort, String> PORT = new Named<>("port") {
        @Override
        Collection<PhysicalPort> of(PlaneState state) {
            return state.fabric().ports();
        }

        @Override
        String keyOf(PhysicalPort row) {
            return row.name();
        }

        @Override
        void write(PhysicalPort row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            out.writeStringField("location", row.location());
            out.writeNumberField("capacity", row.capacity());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        PhysicalPort read(Fields in) {
            return new PhysicalPort(
                    in.text("name"), in.text("location"), (int) in.number("capacity"), in.number("revision"));
        }
    };

    static final RowKind<Zone, String> ZONE = new Named<>("zone") {
        @Override
        Collection<Zone> of(PlaneState state) {
            return state.fabric().zones();
        }

        @Override
        String keyOf(Zone row) {
            return row.name();
        }

        @Override
        void write(Zone row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            texts(out, "members", row.members().stream().map(Wwpn::toString).toList());
            texts(out, "ports", row.ports());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        Zone read(Fields in) {
            return new Zone(
                    in.text("name"),
                    in.texts("members").stream().map(Wwpn::parse).toList(),
                    in.texts("ports"),
                    in.number("revision"));
        }
    };

    static final RowKind<Lu, String> LU = new Named<>("lu") {
        @Override
        Collection<Lu> of(PlaneState state) {
            return state.fabric().lus();
        }

        @Override
        String keyOf(Lu row) {
            return row.name();
        }

        @Override
        void write(Lu row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            out.writeStringField("sharing", row.sharing().name());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        Lu read(Fields in) {
            return new Lu(in.text("name"), Sharing.valueOf(in.text("sharing")), in.number("revision"));
        }
    };

    static final RowKind<LuMap, AdapterId> MAP = new OfClient<>("map") {
        @Override
        Collection<LuMap> of(PlaneState state) {
            return state.fabric().maps();
        }

        // A pair of numbers with an order; what they mean is the row's business.
        @Override
        AdapterId keyOf(LuMap row) {
            return new AdapterId(row.client(), row.lun());
        }

        @Override
        void write(LuMap row, JsonGenerator out) throws IOException {
            out.writeNumberField("client", row.client());
            out.writeNumberField("lun", row.lun());
            out.writeStringField("lu", row.lu());
            out.writeStringField("access", row.access().name());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        LuMap read(Fields in) {
            return new LuMap(
                    (int) in.number("client"),
                    (int) in.number("lun"),
                    in.text("lu"),
                    MapAccess.valueOf(in.text("access")),
                    in.number("revision"));
        }
    };

    static final RowKind<InitiatorBinding, String> INITIATOR = new Named<>("initiator") {
        @Override
        Collection<InitiatorBinding> of(PlaneState state) {
            return state.fabric().initiators();
        }

        @Override
        String keyOf(InitiatorBinding row) {
            return row.initiator();
        }

        @Override
        void write(InitiatorBinding row, JsonGenerator out) throws IOException {
            out.writeStringField("initiator", row.initiator());
            out.writeStringField("wwpn", row.wwpn().toString());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        InitiatorBinding read(Fields in) {
            return new InitiatorBinding(in.text("initiator"), Wwpn.parse(in.text("wwpn")), in.number("revision"));
        }
    };

    static final RowKind<LuBacking, String> BACKING = new Named<>("backing") {
        @Override
        Collection<LuBacking> of(PlaneState state) {
            return state.backings().values();
        }

        @Override
        String keyOf(LuBacking row) {
            return row.name();
        }

        @Override
        void write(LuBacking row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            out.writeStringField("path", row.path().toString());
            optional(out, "pool", row.pool());
            out.writeStringField("uuid", row.uuid().toString());
            out.writeNumberField("sizeBytes", row.sizeBytes());
            out.writeNumberField("blockBytes", row.blockBytes());
            out.writeBooleanField("readOnly", row.readOnly());
            out.writeBooleanField("writeThrough", row.writeThrough());
            out.writeBooleanField("direct", row.direct());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        LuBacking read(Fields in) {
            return new LuBacking(
                    in.text("name"),
                    Path.of(in.text("path")),
                    optional(in, "pool"),
                    UUID.fromString(in.text("uuid")),
                    in.number("sizeBytes"),
                    (int) in.number("blockBytes"),
                    in.flag("readOnly"),
                    in.flag("writeThrough"),
                    in.flag("direct"),
                    in.number("revision"));
        }
    };

    static final RowKind<StoragePool, String> POOL = new Named<>("pool") {
        @Override
        Collection<StoragePool> of(PlaneState state) {
            return state.pools().values();
        }

        @Override
        String keyOf(StoragePool row) {
            return row.name();
        }

        @Override
        void write(StoragePool row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            out.writeStringField("directory", row.directory().toString());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        StoragePool read(Fields in) {
            return new StoragePool(in.text("name"), Path.of(in.text("directory")), in.number("revision"));
        }
    };

    static final RowKind<ClientSecret, Integer> SECRET = new Numbered<>("secret") {
        @Override
        Collection<ClientSecret> of(PlaneState state) {
            return state.secrets().values();
        }

        @Override
        Integer keyOf(ClientSecret row) {
            return row.client();
        }

        @Override
        void write(ClientSecret row, JsonGenerator out) throws IOException {
            out.writeNumberField("client", row.client());
            out.writeStringField("secret", row.secret());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        ClientSecret read(Fields in) {
            return new ClientSecret((int) in.number("client"), in.text("secret"), in.number("revision"));
        }
    };

    static final RowKind<EventActions, String> ACTIONS = new Named<>("actions") {
        @Override
        Collection<EventActions> of(PlaneState state) {
            return state.actions().values();
        }

        @Override
        String keyOf(EventActions row) {
            return row.vm();
        }

        @Override
        void write(EventActions row, JsonGenerator out) throws IOException {
            out.writeStringField("vm", row.vm());
            out.writeStringField("actions", row.actions());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        EventActions read(Fields in) {
            return new EventActions(in.text("vm"), in.text("actions"), in.number("revision"));
        }
    };

    static final RowKind<AccessToken, String> TOKEN = new Named<>("token") {
        @Override
        Collection<AccessToken> of(PlaneState state) {
            return state.tokens().values();
        }

        @Override
        String keyOf(AccessToken row) {
            return row.name();
        }

        @Override
        void write(AccessToken row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            out.writeStringField("role", row.role().name());
            out.writeStringField("hash", row.hash());
            out.writeStringField("created", row.created().toString());
            optional(
                    out, "expires", row.expires() == null ? null : row.expires().toString());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        AccessToken read(Fields in) {
            return new AccessToken(
                    in.text("name"),
                    Role.valueOf(in.text("role")),
                    in.text("hash"),
                    Instant.parse(in.text("created")),
                    in.text("expires").isEmpty() ? null : Instant.parse(in.text("expires")),
                    in.number("revision"));
        }
    };

    static final RowKind<OperatorEvent, String> RAISED = new Named<>("raised") {
        @Override
        Collection<OperatorEvent> of(PlaneState state) {
            return state.raised().values();
        }

        @Override
        String keyOf(OperatorEvent row) {
            return row.name();
        }

        @Override
        void write(OperatorEvent row, JsonGenerator out) throws IOException {
            out.writeStringField("name", row.name());
            out.writeStringField("target", row.target());
            out.writeStringField("detail", row.detail());
            out.writeNumberField("revision", row.revision());
        }

        @Override
        OperatorEvent read(Fields in) {
            return new OperatorEvent(in.text("name"), in.text("target"), in.text("detail"), in.number("revision"));
        }
    };

    /** All of them. */
    static final List<RowKind<?, ?>> ALL = List.of(
            COUNTERS,
            ZONE_POLICY,
            RETIRED,
            WWPN_POOL,
            CLIENT,
            ADAPTER,
            SERVER,
            PORT,
            ZONE,
            LU,
            MAP,
            INITIATOR,
            BACKING,
            POOL,
            SECRET,
            ACTIONS,
            TOKEN,
            RAISED);

    private final String name;

    private RowKind(String name) {
        this.name = name;
    }

    String label() {
        return name;
    }

    /** A state's rows of this kind, by key. */
    abstract Collection<R> of(PlaneState state);

    abstract K keyOf(R row);

    /** What {@link Object#toString} of a key made. */
    abstract K parsedKey(String text);

    Comparator<K> order() {
        return Comparator.naturalOrder();
    }

    abstract void write(R row, JsonGenerator out) throws IOException;

    /** @throws IllegalArgumentException if it is no such row */
    abstract R read(Fields in);

    /** Rows that have a name. */
    private abstract static class Named<R> extends RowKind<R, String> {
        Named(String name) {
            super(name);
        }

        @Override
        String parsedKey(String text) {
            return text;
        }
    }

    /** Rows that have a number, or of which there is one. */
    private abstract static class Numbered<R> extends RowKind<R, Integer> {
        Numbered(String name) {
            super(name);
        }

        @Override
        Integer parsedKey(String text) {
            return Integer.parseInt(text);
        }
    }

    /** Rows that have a number within their client: {@code V3-C10}. */
    private abstract static class OfClient<R> extends RowKind<R, AdapterId> {
        OfClient(String name) {
            super(name);
        }

        @Override
        AdapterId parsedKey(String text) {
            int dash = text.indexOf("-C");
            return new AdapterId(Integer.parseInt(text.substring(1, dash)), Integer.parseInt(text.substring(dash + 2)));
        }
    }

    private static void optional(JsonGenerator out, String field, @Nullable String value) throws IOException {
        if (value != null) {
            out.writeStringField(field, value);
        }
    }

    private static @Nullable String optional(Fields in, String field) {
        String text = in.text(field);
        return text.isEmpty() ? null : text;
    }

    private static void texts(JsonGenerator out, String field, List<String> values) throws IOException {
        out.writeArrayFieldStart(field);
        for (String value : values) {
            out.writeString(value);
        }
        out.writeEndArray();
    }
}
