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
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The table of what a state consists of, and how each row stands in a file. By Jackson's streams: its data binding takes
 * as long to warm up as a server takes to start.
 *
 * @param <R> the rows
 * @param <K> what tells them apart, in the order the state has them
 */
final class RowKind<R, K extends Comparable<? super K>> {

    /** The counters that are the fabric's and no row's. */
    record Counters(int nextClient, int nextServer) {}

    /** Writes the fields of a row. */
    private interface Writer<R> {
        void write(R row, JsonGenerator out) throws IOException;
    }

    static final RowKind<Counters, Integer> COUNTERS = new RowKind<>(
            "counters",
            state -> List.of(
                    new Counters(state.fabric().nextClient(), state.fabric().nextServer())),
            row -> 0,
            Integer::parseInt,
            (row, out) -> {
                out.writeNumberField("nextClient", row.nextClient());
                out.writeNumberField("nextServer", row.nextServer());
            },
            in -> new Counters((int) in.number("nextClient"), (int) in.number("nextServer")));

    static final RowKind<ZonePolicy, Integer> ZONE_POLICY = new RowKind<>(
            "zone-policy",
            state -> List.of(state.fabric().zonePolicy()),
            row -> 0,
            Integer::parseInt,
            (row, out) -> {
                out.writeStringField("others", row.others().name());
                out.writeNumberField("revision", row.revision());
            },
            in -> new ZonePolicy(DefaultZone.valueOf(in.text("others")), in.number("revision")));

    static final RowKind<RetiredPrefix, String> RETIRED = new RowKind<>(
            "retired",
            state -> state.fabric().retiredPrefixes(),
            row -> row.prefix().digits(),
            text -> text,
            (row, out) -> {
                out.writeStringField("prefix", row.prefix().digits());
                out.writeNumberField("nextPair", row.nextPair());
            },
            in -> new RetiredPrefix(new WwpnPrefix(in.text("prefix")), in.number("nextPair")));

    static final RowKind<WwpnPool, String> WWPN_POOL = new RowKind<>(
            "wwpn-pool",
            state -> state.fabric().pools(),
            WwpnPool::name,
            text -> text,
            (row, out) -> {
                out.writeStringField("name", row.name());
                out.writeStringField("prefix", row.prefix().digits());
                out.writeNumberField("nextPair", row.nextPair());
                out.writeNumberField("revision", row.revision());
            },
            in -> new WwpnPool(
                    in.text("name"), new WwpnPrefix(in.text("prefix")), in.number("nextPair"), in.number("revision")));

    static final RowKind<Client, Integer> CLIENT = new RowKind<>(
            "client",
            state -> state.fabric().clients(),
            Client::id,
            Integer::parseInt,
            (row, out) -> {
                out.writeNumberField("id", row.id());
                out.writeStringField("name", row.name());
                out.writeStringField("kind", row.kind().name());
                out.writeStringField("migration", row.migration().name());
                out.writeNumberField("nextSlot", row.nextSlot());
                out.writeNumberField("nextLun", row.nextLun());
                out.writeNumberField("revision", row.revision());
            },
            in -> new Client(
                    (int) in.number("id"),
                    in.text("name"),
                    ClientKind.valueOf(in.text("kind")),
                    Migration.valueOf(in.text("migration")),
                    (int) in.number("nextSlot"),
                    (int) in.number("nextLun"),
                    in.number("revision")));

    static final RowKind<ClientAdapter, AdapterId> ADAPTER = new RowKind<>(
            "adapter",
            state -> state.fabric().adapters(),
            ClientAdapter::id,
            RowKind::adapterId,
            (row, out) -> {
                out.writeNumberField("client", row.id().client());
                out.writeNumberField("slot", row.id().slot());
                out.writeStringField("pool", row.pool());
                out.writeStringField("first", row.pair().first().toString());
                out.writeStringField("second", row.pair().second().toString());
                out.writeStringField("active", row.active().name());
                out.writeNumberField("revision", row.revision());
            },
            in -> new ClientAdapter(
                    new AdapterId((int) in.number("client"), (int) in.number("slot")),
                    in.text("pool"),
                    new WwpnPair(Wwpn.parse(in.text("first")), Wwpn.parse(in.text("second"))),
                    Side.valueOf(in.text("active")),
                    in.number("revision")));

    static final RowKind<ServerAdapter, Integer> SERVER = new RowKind<>(
            "server",
            state -> state.fabric().servers(),
            ServerAdapter::number,
            Integer::parseInt,
            (row, out) -> {
                out.writeNumberField("number", row.number());
                out.writeNumberField("client", row.client().client());
                out.writeNumberField("slot", row.client().slot());
                optional(out, "port", row.port());
                out.writeNumberField("revision", row.revision());
            },
            in -> new ServerAdapter(
                    (int) in.number("number"),
                    new AdapterId((int) in.number("client"), (int) in.number("slot")),
                    optional(in, "port"),
                    in.number("revision")));

    static final RowKind<PhysicalPort, String> PORT = new RowKind<>(
            "port",
            state -> state.fabric().ports(),
            PhysicalPort::name,
            text -> text,
            (row, out) -> {
                out.writeStringField("name", row.name());
                out.writeStringField("location", row.location());
                out.writeNumberField("capacity", row.capacity());
                out.writeNumberField("revision", row.revision());
            },
            in -> new PhysicalPort(
                    in.text("name"), in.text("location"), (int) in.number("capacity"), in.number("revision")));

    static final RowKind<Zone, String> ZONE = new RowKind<>(
            "zone",
            state -> state.fabric().zones(),
            Zone::name,
            text -> text,
            (row, out) -> {
                out.writeStringField("name", row.name());
                texts(out, "members", row.members().stream().map(Wwpn::toString).toList());
                texts(out, "ports", row.ports());
                out.writeNumberField("revision", row.revision());
            },
            in -> new Zone(
                    in.text("name"),
                    in.texts("members").stream().map(Wwpn::parse).toList(),
                    in.texts("ports"),
                    in.number("revision")));

    static final RowKind<Lu, String> LU = new RowKind<>(
            "lu",
            state -> state.fabric().lus(),
            Lu::name,
            text -> text,
            (row, out) -> {
                out.writeStringField("name", row.name());
                out.writeStringField("sharing", row.sharing().name());
                out.writeNumberField("revision", row.revision());
            },
            in -> new Lu(in.text("name"), Sharing.valueOf(in.text("sharing")), in.number("revision")));

    static final RowKind<LuMap, AdapterId> MAP = new RowKind<>(
            "map",
            state -> state.fabric().maps(),
            // A pair of numbers with an order; what they mean is the row's business.
            row -> new AdapterId(row.client(), row.lun()),
            RowKind::adapterId,
            (row, out) -> {
                out.writeNumberField("client", row.client());
                out.writeNumberField("lun", row.lun());
                out.writeStringField("lu", row.lu());
                out.writeStringField("access", row.access().name());
                out.writeNumberField("revision", row.revision());
            },
            in -> new LuMap(
                    (int) in.number("client"),
                    (int) in.number("lun"),
                    in.text("lu"),
                    MapAccess.valueOf(in.text("access")),
                    in.number("revision")));

    static final RowKind<InitiatorBinding, String> INITIATOR = new RowKind<>(
            "initiator",
            state -> state.fabric().initiators(),
            InitiatorBinding::initiator,
            text -> text,
            (row, out) -> {
                out.writeStringField("initiator", row.initiator());
                out.writeStringField("wwpn", row.wwpn().toString());
                out.writeNumberField("revision", row.revision());
            },
            in -> new InitiatorBinding(in.text("initiator"), Wwpn.parse(in.text("wwpn")), in.number("revision")));

    static final RowKind<LuBacking, String> BACKING = new RowKind<>(
            "backing",
            state -> state.backings().values(),
            LuBacking::name,
            text -> text,
            (row, out) -> {
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
            },
            in -> new LuBacking(
                    in.text("name"),
                    Path.of(in.text("path")),
                    optional(in, "pool"),
                    UUID.fromString(in.text("uuid")),
                    in.number("sizeBytes"),
                    (int) in.number("blockBytes"),
                    in.flag("readOnly"),
                    in.flag("writeThrough"),
                    in.flag("direct"),
                    in.number("revision")));

    static final RowKind<StoragePool, String> POOL = new RowKind<>(
            "pool",
            state -> state.pools().values(),
            StoragePool::name,
            text -> text,
            (row, out) -> {
                out.writeStringField("name", row.name());
                out.writeStringField("directory", row.directory().toString());
                out.writeNumberField("revision", row.revision());
            },
            in -> new StoragePool(in.text("name"), Path.of(in.text("directory")), in.number("revision")));

    static final RowKind<ClientSecret, Integer> SECRET = new RowKind<>(
            "secret",
            state -> state.secrets().values(),
            ClientSecret::client,
            Integer::parseInt,
            (row, out) -> {
                out.writeNumberField("client", row.client());
                out.writeStringField("secret", row.secret());
                out.writeNumberField("revision", row.revision());
            },
            in -> new ClientSecret((int) in.number("client"), in.text("secret"), in.number("revision")));

    static final RowKind<EventActions, String> ACTIONS = new RowKind<>(
            "actions",
            state -> state.actions().values(),
            EventActions::vm,
            text -> text,
            (row, out) -> {
                out.writeStringField("vm", row.vm());
                out.writeStringField("actions", row.actions());
                out.writeNumberField("revision", row.revision());
            },
            in -> new EventActions(in.text("vm"), in.text("actions"), in.number("revision")));

    static final RowKind<AccessToken, String> TOKEN = new RowKind<>(
            "token",
            state -> state.tokens().values(),
            AccessToken::name,
            text -> text,
            (row, out) -> {
                out.writeStringField("name", row.name());
                out.writeStringField("role", row.role().name());
                out.writeStringField("hash", row.hash());
                out.writeStringField("created", row.created().toString());
                optional(
                        out,
                        "expires",
                        row.expires() == null ? null : row.expires().toString());
                out.writeNumberField("revision", row.revision());
            },
            in -> new AccessToken(
                    in.text("name"),
                    Role.valueOf(in.text("role")),
                    in.text("hash"),
                    Instant.parse(in.text("created")),
                    in.text("expires").isEmpty() ? null : Instant.parse(in.text("expires")),
                    in.number("revision")));

    static final RowKind<OperatorEvent, String> RAISED = new RowKind<>(
            "raised",
            state -> state.raised().values(),
            OperatorEvent::name,
            text -> text,
            (row, out) -> {
                out.writeStringField("name", row.name());
                out.writeStringField("target", row.target());
                out.writeStringField("detail", row.detail());
                out.writeNumberField("revision", row.revision());
            },
            in -> new OperatorEvent(in.text("name"), in.text("target"), in.text("detail"), in.number("revision")));

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
    private final Function<PlaneState, Collection<R>> rows;
    private final Function<R, K> key;
    private final Function<String, K> parse;
    private final Writer<R> writer;
    private final Function<Fields, R> reader;

    private RowKind(
            String name,
            Function<PlaneState, Collection<R>> rows,
            Function<R, K> key,
            Function<String, K> parse,
            Writer<R> writer,
            Function<Fields, R> reader) {
        this.name = name;
        this.rows = rows;
        this.key = key;
        this.parse = parse;
        this.writer = writer;
        this.reader = reader;
    }

    String label() {
        return name;
    }

    /** A state's rows of this kind, by key. */
    Collection<R> of(PlaneState state) {
        return rows.apply(state);
    }

    K keyOf(R row) {
        return key.apply(row);
    }

    /** What {@link Object#toString} of a key made. */
    K parsedKey(String text) {
        return parse.apply(text);
    }

    Comparator<K> order() {
        return Comparator.naturalOrder();
    }

    void write(R row, JsonGenerator out) throws IOException {
        writer.write(row, out);
    }

    /** @throws IllegalArgumentException if it is no such row */
    R read(Fields fields) {
        return reader.apply(fields);
    }

    private static AdapterId adapterId(String text) {
        int dash = text.indexOf("-C");
        return new AdapterId(Integer.parseInt(text.substring(1, dash)), Integer.parseInt(text.substring(dash + 2)));
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
