package io.holdfast.management.plane;

import io.holdfast.control.RaisedEvent;
import io.holdfast.control.operator.Caller;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.Role;
import io.holdfast.control.operator.Row;
import io.holdfast.management.config.ByteSize;
import io.holdfast.npiv.AdapterCommand;
import io.holdfast.npiv.AdapterId;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.ClientCommand;
import io.holdfast.npiv.ClientKind;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.FabricCommand;
import io.holdfast.npiv.InitiatorCommand;
import io.holdfast.npiv.LuCommand;
import io.holdfast.npiv.LuMap;
import io.holdfast.npiv.MapAccess;
import io.holdfast.npiv.MigrationCommand;
import io.holdfast.npiv.NameFormatException;
import io.holdfast.npiv.Outcome;
import io.holdfast.npiv.PhysicalPort;
import io.holdfast.npiv.PoolCommand;
import io.holdfast.npiv.PortCommand;
import io.holdfast.npiv.Refusal;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.npiv.Sharing;
import io.holdfast.npiv.WwpnPool;
import io.holdfast.npiv.WwpnPrefix;
import io.holdfast.npiv.Zone;
import io.holdfast.npiv.ZoneCommand;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a command makes of a state: the rules that are not the fabric's own. Touches no file; chance and time are given to
 * it.
 */
final class Planner {
    /** RFC 7143 §12.1.4 asks for 96 bits; the most is what fits a login key. */
    private static final int MIN_SECRET_BYTES = 12;

    private static final int MAX_SECRET_BYTES = 255;
    private static final int MAX_RAISED = 64;
    private static final int MAX_DETAIL = 256;
    private static final Pattern EVENT_NAME = Pattern.compile(RaisedEvent.OPERATORS + "[a-z0-9][a-z0-9-]{0,61}");
    private static final int MAX_TOKENS = 1000;
    private static final int MAX_POOLS = 100;
    private static final int MAX_VMS = 10_000;
    private static final int TOKEN_BYTES = 32;
    private static final int MIN_BLOCK_BYTES = 512;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,99}");
    private static final String FIRST_WWPN_POOL = "default";
    private static final String IMAGE_SUFFIX = ".img";

    /**
     * A command's effect, not yet carried out.
     *
     * @param answer makes the row that the caller gets, from the states before and after
     */
    record Planned(PlaneState after, PlaneChange.Image image, BiFunction<Views, Views, Row> answer) {
        Planned with(PlaneState other) {
            return new Planned(other, image, answer);
        }
    }

    private final PlaneState state;
    private final Fabric fabric;
    private final Names names;
    private final Caller caller;
    private final OptionalLong basis;
    private final Clock clock;
    private final RandomGenerator chance;

    Planner(PlaneState state, Caller caller, OptionalLong basis, Clock clock, RandomGenerator chance) {
        this.state = state;
        this.fabric = state.fabric();
        this.names = new Names(state);
        this.caller = caller;
        this.basis = basis;
        this.clock = clock;
        this.chance = chance;
    }

    /** @throws Rejection if it must not be */
    Planned plan(OperatorCommand command) {
        if (basis.isPresent() && basis.getAsLong() > state.version()) {
            throw Rejection.of(new Refusal.UnknownVersion(basis.getAsLong(), state.version()));
        }
        if (command instanceof OperatorCommand.CreateLu create) {
            return createLu(create);
        } else if (command instanceof OperatorCommand.ResizeLu resize) {
            return resizeLu(resize);
        } else if (command instanceof OperatorCommand.DeclareLu declare) {
            names.lu(declare.name());
            return fabricOnly(
                    (before, after) -> after.lu(declare.name()),
                    new LuCommand.Declare(declare.name(), declare.sharing()));
        } else if (command instanceof OperatorCommand.RemoveLu remove) {
            return removeLu(remove);
        } else if (command instanceof OperatorCommand.CreatePool create) {
            return createPool(create);
        } else if (command instanceof OperatorCommand.RemovePool remove) {
            return removePool(remove);
        } else if (command instanceof OperatorCommand.MapLu map) {
            return map(map);
        } else if (command instanceof OperatorCommand.UnmapLu unmap) {
            return unmap(unmap);
        } else if (command instanceof OperatorCommand.CreateToken create) {
            return createToken(create);
        } else if (command instanceof OperatorCommand.RemoveToken remove) {
            return removeToken(remove);
        } else if (command instanceof OperatorCommand.SetActions set) {
            return setActions(set);
        } else if (command instanceof OperatorCommand.RaiseEvent raise) {
            return raise(raise);
        } else if (command instanceof OperatorCommand.ClearEvent clear) {
            return clear(clear);
        } else if (command instanceof OperatorCommand.ForgetActions forget) {
            return forgetActions(forget);
        }
        return planWho(command);
    }

    private Planned planWho(OperatorCommand command) {
        if (command instanceof OperatorCommand.AddClient add) {
            return addClient(add);
        } else if (command instanceof OperatorCommand.RenameClient rename) {
            int id = names.client(rename.client()).id();
            return fabricOnly((before, after) -> after.client(id), new ClientCommand.Rename(id, rename.name()));
        } else if (command instanceof OperatorCommand.SetSecret set) {
            return setSecret(set);
        } else if (command instanceof OperatorCommand.RemoveClient remove) {
            return removeClient(remove);
        } else if (command instanceof OperatorCommand.MigrateClient migrate) {
            return migrate(migrate);
        } else if (command instanceof OperatorCommand.AddAdapter add) {
            return addAdapter(add);
        } else if (command instanceof OperatorCommand.RemoveAdapter remove) {
            AdapterId id = names.adapter(remove.adapter());
            return fabricOnly((before, after) -> before.adapter(id), removalOf(id));
        } else if (command instanceof OperatorCommand.BindInitiator bind) {
            return fabricOnly(
                    (before, after) -> after.initiator(bind.initiator()),
                    new InitiatorCommand.Bind(bind.initiator(), Names.wwpn(bind.wwpn())));
        } else if (command instanceof OperatorCommand.UnbindInitiator unbind) {
            return fabricOnly(
                    (before, after) -> before.initiator(unbind.initiator()),
                    new InitiatorCommand.Unbind(unbind.initiator()));
        }
        return planWhere(command);
    }

    private Planned planWhere(OperatorCommand command) {
        if (command instanceof OperatorCommand.CreateWwpnPool create) {
            return fabricOnly(
                    (before, after) -> after.wwpnPool(create.name()),
                    new PoolCommand.Create(create.name(), prefix(create.prefix())));
        } else if (command instanceof OperatorCommand.RemoveWwpnPool remove) {
            names.wwpnPool(remove.name());
            return fabricOnly((before, after) -> before.wwpnPool(remove.name()), new PoolCommand.Delete(remove.name()));
        } else if (command instanceof OperatorCommand.AddPort add) {
            int capacity = add.capacity() == null ? PhysicalPort.MAX_CAPACITY : add.capacity();
            return fabricOnly(
                    (before, after) -> after.port(add.name()),
                    new PortCommand.Add(add.name(), add.location(), capacity));
        } else if (command instanceof OperatorCommand.ResizePort resize) {
            return fabricOnly(
                    (before, after) -> after.port(resize.name()),
                    new PortCommand.Resize(resize.name(), resize.capacity()));
        } else if (command instanceof OperatorCommand.RemovePort remove) {
            return fabricOnly((before, after) -> before.port(remove.name()), new PortCommand.Remove(remove.name()));
        } else if (command instanceof OperatorCommand.AssignPort assign) {
            ServerAdapter server = names.server(assign.vadapter());
            String port = assign.fcp() == null || assign.fcp().isEmpty() ? null : assign.fcp();
            return fabricOnly(
                    (before, after) -> new Row.VfcmapRow(server.name(), port),
                    new PortCommand.Assign(server.number(), port));
        } else if (command instanceof OperatorCommand.SetZone set) {
            boolean there = fabric.zones().stream().map(Zone::name).anyMatch(set.name()::equals);
            return fabricOnly(
                    (before, after) -> after.zone(set.name()),
                    there
                            ? new ZoneCommand.Change(set.name(), Names.wwpns(set.members()), set.ports())
                            : new ZoneCommand.Create(set.name(), Names.wwpns(set.members()), set.ports()));
        } else if (command instanceof OperatorCommand.RemoveZone remove) {
            return fabricOnly((before, after) -> before.zone(remove.name()), new ZoneCommand.Delete(remove.name()));
        } else if (command instanceof OperatorCommand.SetDefaultZone set) {
            return fabricOnly(
                    (before, after) -> new Row.ObjectRow("default zone", state.version() + 1),
                    new ZoneCommand.SetDefault(set.others()));
        }
        throw new IllegalStateException("no rule for " + command.getClass());
    }

    // ------------------------------------------------------------------ logical units

    private Planned createLu(OperatorCommand.CreateLu create) {
        if (create.path() != null && create.pool() != null) {
            throw new Rejection(ErrorCode.BAD_VALUE, "both a pool and a path are named", "name one of them");
        }
        if (create.path() != null && !caller.role().mayActAs(Role.ADMIN)) {
            throw new Rejection(
                    ErrorCode.FORBIDDEN,
                    "an image outside of pools may be named by role admin only, and this is " + caller.name() + ", "
                            + caller.role().toString().toLowerCase(java.util.Locale.ROOT));
        }
        Sharing sharing = create.sharing() == null ? Sharing.PRIVATE : create.sharing();
        Fabric next = applied(new LuCommand.Add(create.name(), sharing));
        StoragePool pool = create.path() == null ? names.pool(create.pool()) : null;
        Path path = pool != null
                ? pool.directory().resolve(create.name() + IMAGE_SUFFIX)
                : absolute("path", Objects.requireNonNull(create.path()));
        for (LuBacking other : state.backings().values()) {
            if (other.path().equals(path)) {
                throw new Rejection(ErrorCode.EXISTS, path + " is LU " + other.name() + " already");
            }
        }
        if (create.size() == null && create.preallocate()) {
            throw new Rejection(ErrorCode.BAD_VALUE, "an image that is there cannot be preallocated", "give a size");
        }
        PlaneChange.Image image = create.size() == null
                ? PlaneChange.Image.KEPT
                : create.preallocate() ? PlaneChange.Image.CREATED_WHOLE : PlaneChange.Image.CREATED;
        LuBacking backing = new LuBacking(
                create.name(),
                path,
                pool == null ? null : pool.name(),
                uuid(),
                create.size() == null ? 0 : checkedSize(create.size()),
                create.blockSize() == null ? MIN_BLOCK_BYTES : create.blockSize(),
                create.readOnly(),
                create.writeThrough(),
                create.direct(),
                next.version());
        return new Planned(state.draft(next).put(backing).done(), image, (before, after) -> after.lu(create.name()));
    }

    private static long checkedSize(long bytes) {
        if (bytes <= 0 || bytes % MIN_BLOCK_BYTES != 0) {
            throw new Rejection(
                    ErrorCode.BAD_VALUE,
                    "size " + bytes + " is not a multiple of " + MIN_BLOCK_BYTES + " bytes above 0");
        }
        return bytes;
    }

    private static Path absolute(String what, String text) {
        if (!text.startsWith("/") || text.indexOf('\0') >= 0 || text.length() > 4096) {
            throw new Rejection(ErrorCode.BAD_VALUE, what + " '" + text + "' is not an absolute path of the server");
        }
        return Path.of(text).normalize();
    }

    private Planned resizeLu(OperatorCommand.ResizeLu resize) {
        LuBacking backing = names.lu(resize.name());
        requireSeen("LU " + backing.name(), backing.revision());
        checkedSize(resize.size());
        if (resize.size() < backing.sizeBytes()) {
            throw new Rejection(
                    ErrorCode.BAD_VALUE,
                    "LU " + backing.name() + " has " + ByteSize.print(backing.sizeBytes())
                            + ", and cannot be made smaller: what clients have written would be cut off",
                    "give a larger size; or create a smaller LU and copy");
        }
        Fabric next = applied();
        return new Planned(
                state.draft(next)
                        .put(backing.resized(resize.size(), next.version()))
                        .done(),
                PlaneChange.Image.KEPT,
                (before, after) -> after.lu(resize.name()));
    }

    private Planned removeLu(OperatorCommand.RemoveLu remove) {
        LuBacking backing = names.lu(remove.name());
        requireSeen("LU " + backing.name(), backing.revision());
        if (remove.deleteImage() && backing.pool() == null && !caller.role().mayActAs(Role.ADMIN)) {
            throw new Rejection(
                    ErrorCode.FORBIDDEN, "the image " + backing.path() + " lies in no pool: role admin may delete it");
        }
        Fabric next = applied(new LuCommand.Remove(remove.name()));
        return new Planned(
                state.draft(next).removeBacking(remove.name()).done(),
                remove.deleteImage() ? PlaneChange.Image.DELETED : PlaneChange.Image.KEPT,
                (before, after) -> before.lu(remove.name()));
    }

    private Planned createPool(OperatorCommand.CreatePool create) {
        checkedName("pool name", create.name());
        if (state.pools().containsKey(create.name())) {
            throw new Rejection(ErrorCode.EXISTS, "pool " + create.name() + " exists already");
        }
        if (state.pools().size() >= MAX_POOLS) {
            throw new Rejection(ErrorCode.LIMIT, "no more than " + MAX_POOLS + " pools");
        }
        Fabric next = applied();
        StoragePool pool = new StoragePool(create.name(), absolute("directory", create.directory()), next.version());
        for (StoragePool other : state.pools().values()) {
            if (other.directory().equals(pool.directory())) {
                throw new Rejection(
                        ErrorCode.EXISTS, "directory " + pool.directory() + " is pool " + other.name() + " already");
            }
        }
        return sideOnly(state.draft(next).put(pool), (before, after) -> after.pool(create.name()));
    }

    private Planned removePool(OperatorCommand.RemovePool remove) {
        StoragePool pool = names.pool(remove.name());
        requireSeen("pool " + pool.name(), pool.revision());
        List<String> users = new ArrayList<>();
        for (LuBacking backing : state.backings().values()) {
            if (pool.name().equals(backing.pool())) {
                users.add("LU " + backing.name());
            }
        }
        if (!users.isEmpty()) {
            throw Rejection.of(new Refusal.InUse("pool " + pool.name(), users));
        }
        return sideOnly(state.draft(applied()).removePool(pool.name()), (before, after) -> before.pool(remove.name()));
    }

    private Planned map(OperatorCommand.MapLu map) {
        Client client = names.client(map.client());
        names.lu(map.lu());
        MapAccess access = map.access() == null ? MapAccess.READ_WRITE : map.access();
        return fabricOnly(
                (before, after) -> after.map(client.id(), map.lu()),
                new LuCommand.Map(client.id(), map.lu(), access, map.lun()));
    }

    private Planned unmap(OperatorCommand.UnmapLu unmap) {
        Client client = names.client(unmap.client());
        names.lu(unmap.lu());
        for (LuMap map : fabric.mapsOf(client.id())) {
            if (map.lu().equals(unmap.lu())) {
                return fabricOnly(
                        (before, after) -> before.map(client.id(), unmap.lu()),
                        new LuCommand.Unmap(client.id(), map.lun()));
            }
        }
        throw new Rejection(
                ErrorCode.NOT_FOUND,
                "LU " + unmap.lu() + " is not mapped to " + client.label(),
                "'holdfast maps --client " + client.name() + "' tells what is");
    }

    // ------------------------------------------------------------------ clients and adapters

    private Planned addClient(OperatorCommand.AddClient add) {
        ClientKind kind = add.kind() == null ? ClientKind.VM : add.kind();
        int id = fabric.nextClient();
        List<FabricCommand> commands = new ArrayList<>();
        commands.add(new ClientCommand.Create(add.name(), kind));
        if (!add.bare()) {
            addAdapter(commands, new AdapterId(id, 1), add.wwpnPool(), add.port());
        }
        Fabric next = applied(commands.toArray(FabricCommand[]::new));
        PlaneState.Draft draft = state.draft(next);
        if (add.secret() != null) {
            draft.put(new ClientSecret(id, checkedSecret(add.secret()), next.version()));
        }
        return sideOnly(draft, (before, after) -> after.client(id));
    }

    private void addAdapter(
            List<FabricCommand> commands, AdapterId id, @Nullable String wwpnPool, @Nullable String toPort) {
        WwpnPool pool = names.wwpnPool(wwpnPool);
        String poolName = pool == null ? FIRST_WWPN_POOL : pool.name();
        if (pool == null) {
            commands.add(new PoolCommand.Create(poolName, WwpnPrefix.locallyAssigned(state.id())));
        }
        commands.add(new AdapterCommand.Add(id.client(), poolName, id.slot()));
        commands.add(new AdapterCommand.Pair(id, null));
        String port = names.port(toPort);
        if (port != null) {
            commands.add(new PortCommand.Assign(fabric.nextServer(), port));
        }
    }

    private Planned setSecret(OperatorCommand.SetSecret set) {
        Client client = names.client(set.client());
        ClientSecret old = state.secrets().get(client.id());
        if (old != null) {
            requireSeen("the secret of " + client.label(), old.revision());
        }
        PlaneState.Draft draft = state.draft(applied());
        if (set.secret() == null) {
            draft.removeSecret(client.id());
        } else {
            draft.put(new ClientSecret(client.id(), checkedSecret(set.secret()), draft.version()));
        }
        return sideOnly(draft, (before, after) -> after.client(client.id()));
    }

    private static String checkedSecret(String secret) {
        int bytes = secret.getBytes(StandardCharsets.UTF_8).length;
        if (bytes < MIN_SECRET_BYTES || bytes > MAX_SECRET_BYTES) {
            throw new Rejection(
                    ErrorCode.BAD_VALUE,
                    "the secret has " + bytes + " bytes, it must have " + MIN_SECRET_BYTES + " to " + MAX_SECRET_BYTES);
        }
        return secret;
    }

    private Planned removeClient(OperatorCommand.RemoveClient remove) {
        Client client = names.client(remove.client());
        List<FabricCommand> commands = new ArrayList<>();
        if (remove.all()) {
            for (LuMap map : fabric.mapsOf(client.id())) {
                commands.add(new LuCommand.Unmap(client.id(), map.lun()));
            }
            for (ClientAdapter adapter : fabric.adapters()) {
                if (adapter.id().client() == client.id()) {
                    commands.addAll(List.of(removalOf(adapter.id())));
                }
            }
        }
        commands.add(new ClientCommand.Delete(client.id()));
        Fabric next;
        try {
            next = applied(commands.toArray(FabricCommand[]::new));
        } catch (Rejection e) {
            throw e.error().error() == ErrorCode.IN_USE
                    ? new Rejection(
                            ErrorCode.IN_USE, e.error().message(), "remove that first, or give --all, which does")
                    : e;
        }
        return sideOnly(state.draft(next).removeSecret(client.id()), (before, after) -> before.client(client.id()));
    }

    private FabricCommand[] removalOf(AdapterId id) {
        List<FabricCommand> commands = new ArrayList<>();
        for (ServerAdapter server : fabric.servers()) {
            if (server.client().equals(id)) {
                commands.add(new AdapterCommand.Unpair(server.number()));
            }
        }
        commands.add(new AdapterCommand.Remove(id));
        return commands.toArray(FabricCommand[]::new);
    }

    private Planned migrate(OperatorCommand.MigrateClient migrate) {
        int id = names.client(migrate.client()).id();
        FabricCommand step = switch (migrate.step()) {
            case PREPARE -> new MigrationCommand.Prepare(id);
            case HAND_OVER -> new MigrationCommand.HandOver(id);
            case CANCEL -> new MigrationCommand.Cancel(id);
        };
        return fabricOnly((before, after) -> after.client(id), step);
    }

    private Planned addAdapter(OperatorCommand.AddAdapter add) {
        Client client = names.client(add.client());
        int slot = add.slot() != null ? add.slot() : Math.min(client.nextSlot(), AdapterId.MAX_SLOT);
        AdapterId id = new AdapterId(client.id(), slot);
        List<FabricCommand> commands = new ArrayList<>();
        addAdapter(commands, id, add.wwpnPool(), add.port());
        return fabricOnly((before, after) -> after.adapter(id), commands.toArray(FabricCommand[]::new));
    }

    private WwpnPrefix prefix(@Nullable String text) {
        try {
            return text == null ? WwpnPrefix.locallyAssigned(state.id()) : new WwpnPrefix(text);
        } catch (NameFormatException e) {
            throw new Rejection(ErrorCode.BAD_VALUE, "" + e.getMessage());
        }
    }

    // ------------------------------------------------------------------ actions and tokens

    private Planned setActions(OperatorCommand.SetActions set) {
        checkedName("VM name", set.vm());
        if (state.actions().size() >= MAX_VMS && !state.actions().containsKey(set.vm())) {
            throw new Rejection(ErrorCode.LIMIT, "no more than " + MAX_VMS + " VMs have actions registered");
        }
        EventActions old = state.actions().get(set.vm());
        if (old != null) {
            requireSeen("the actions of " + set.vm(), old.revision());
        }
        Fabric next = applied();
        EventActions row = new EventActions(set.vm(), set.actions(), next.version());
        if (!row.objection().isEmpty()) {
            throw new Rejection(ErrorCode.BAD_VALUE, row.objection());
        }
        return sideOnly(
                state.draft(next).put(row),
                (before, after) -> new Row.ActionsRow(row.vm(), row.actions(), row.revision()));
    }

    private Planned forgetActions(OperatorCommand.ForgetActions forget) {
        EventActions old = state.actions().get(forget.vm());
        if (old == null) {
            throw Names.missing("VM with actions", forget.vm(), "vms");
        }
        requireSeen("the actions of " + forget.vm(), old.revision());
        return sideOnly(
                state.draft(applied()).removeActions(forget.vm()),
                (before, after) -> new Row.ActionsRow(old.vm(), old.actions(), old.revision()));
    }

    private Planned raise(OperatorCommand.RaiseEvent raise) {
        String name = raise.name();
        if (!EVENT_NAME.matcher(name).matches()) {
            throw new Rejection(
                    ErrorCode.BAD_VALUE,
                    "event '" + name + "': a name of an operator's begins with " + RaisedEvent.OPERATORS
                            + " and goes on with lower-case letters, digits and '-', 64 characters at most; the others"
                            + " are raised by the server itself");
        }
        String detail = raise.detail() == null ? "raised by an operator" : raise.detail();
        String target = raise.target() == null ? "" : raise.target();
        if (detail.length() > MAX_DETAIL || target.length() > MAX_DETAIL) {
            throw new Rejection(
                    ErrorCode.BAD_VALUE,
                    "detail and target of event " + name + " may have " + MAX_DETAIL + " characters");
        }
        if (state.raised().size() >= MAX_RAISED && !state.raised().containsKey(name)) {
            throw new Rejection(ErrorCode.LIMIT, "no more than " + MAX_RAISED + " events are raised at a time");
        }
        OperatorEvent old = state.raised().get(name);
        if (old != null) {
            requireSeen("event " + name, old.revision());
        }
        Fabric next = applied();
        OperatorEvent row = new OperatorEvent(name, target, detail, next.version());
        return sideOnly(state.draft(next).put(row), (before, after) -> Views.row(row));
    }

    private Planned clear(OperatorCommand.ClearEvent clear) {
        OperatorEvent old = state.raised().get(clear.name());
        if (old == null) {
            throw Names.missing("raised event", clear.name(), "events raised");
        }
        requireSeen("event " + clear.name(), old.revision());
        return sideOnly(state.draft(applied()).removeRaised(clear.name()), (before, after) -> Views.row(old));
    }

    private Planned createToken(OperatorCommand.CreateToken create) {
        checkedName("token name", create.name());
        if (state.tokens().containsKey(create.name())) {
            throw new Rejection(ErrorCode.EXISTS, "token " + create.name() + " exists already");
        }
        if (state.tokens().size() >= MAX_TOKENS) {
            throw new Rejection(ErrorCode.LIMIT, "no more than " + MAX_TOKENS + " tokens");
        }
        byte[] random = new byte[TOKEN_BYTES];
        chance.nextBytes(random);
        String token = Tokens.PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
        Role role = create.role() == null ? Role.OBSERVER : create.role();
        Instant now = clock.instant();
        Instant expires = create.days() == null ? null : now.plus(Duration.ofDays(create.days()));
        Fabric next = applied();
        AccessToken row = new AccessToken(create.name(), role, Tokens.hash(token), now, expires, next.version());
        return sideOnly(
                state.draft(next).put(row),
                (before, after) ->
                        new Row.NewTokenRow(row.name(), io.holdfast.control.operator.Labels.of(role), token, expires));
    }

    private Planned removeToken(OperatorCommand.RemoveToken remove) {
        AccessToken old = state.tokens().get(remove.name());
        if (old == null) {
            throw Names.missing("token", remove.name(), "token list");
        }
        requireSeen("token " + old.name(), old.revision());
        return sideOnly(state.draft(applied()).removeToken(old.name()), (before, after) -> before.token(old.name()));
    }

    // ------------------------------------------------------------------ what all of them need

    private Planned fabricOnly(BiFunction<Views, Views, Row> answer, FabricCommand... commands) {
        return sideOnly(state.draft(applied(commands)), answer);
    }

    private static Planned sideOnly(PlaneState.Draft draft, BiFunction<Views, Views, Row> answer) {
        return new Planned(draft.done(), PlaneChange.Image.KEPT, answer);
    }

    private Fabric applied(FabricCommand... commands) {
        List<FabricCommand> all = List.of(commands);
        Outcome outcome = basis.isPresent() ? fabric.applyAll(all, basis.getAsLong()) : fabric.applyAll(all);
        if (outcome instanceof Outcome.Refused refused) {
            throw Rejection.of(refused.refusal());
        }
        return ((Outcome.Done) outcome).fabric();
    }

    /** The same that the fabric does for its own objects. */
    private void requireSeen(String object, long revision) {
        if (basis.isPresent() && revision > basis.getAsLong()) {
            throw Rejection.of(new Refusal.Stale(object, revision, basis.getAsLong()));
        }
    }

    private static void checkedName(String what, String name) {
        if (!NAME.matcher(name).matches()) {
            throw Rejection.of(new Refusal.BadValue(
                    what, name, "1 to 100 letters, digits, '.', '_', ':' and '-', the first a letter or digit"));
        }
    }

    private UUID uuid() {
        // Version 4, variant 1, as UUID.randomUUID makes them.
        return new UUID(
                chance.nextLong() & ~0xf000L | 0x4000L, chance.nextLong() & Long.MAX_VALUE >>> 1 | Long.MIN_VALUE);
    }
}
