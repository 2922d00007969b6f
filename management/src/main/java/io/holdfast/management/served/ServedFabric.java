package io.holdfast.management.served;

import io.holdfast.block.BackendException;
import io.holdfast.block.FileBackend;
import io.holdfast.block.FileOptions;
import io.holdfast.control.ExportedUnit;
import io.holdfast.iscsi.ChapAccount;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.iscsi.TargetDirectory;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.management.plane.PlaneChange;
import io.holdfast.management.plane.PlaneState;
import io.holdfast.management.plane.ServedSide;
import io.holdfast.net.Addresses;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.LoginDecision;
import io.holdfast.npiv.LoginDirectory;
import io.holdfast.npiv.LuMap;
import io.holdfast.npiv.MapAccess;
import io.holdfast.npiv.PhysicalPort;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.scsi.LogicalUnit;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The served side of the control plane: makes a state of it true for initiators.
 *
 * <p>Changes come from one thread at a time; logins and sessions from event loops.
 */
public final class ServedFabric implements ServedSide {
    /** A portal that listens at every address of the host. */
    private static final String ANY = "any:";

    private final String targetPrefix;
    private final ServedLus lus;
    private final ClientSecrets secrets;
    private final ClientPorts ports;
    private volatile Map<String, String> portNames = Map.of();
    private volatile Map<String, String> boundPortals = Map.of();
    private volatile @Nullable PlaneState shown;
    private volatile Runnable changed = () -> {};
    private volatile ClientPorts.@Nullable SessionEnd sessionEnd;

    /**
     * @param targetPrefix what target names have before {@code vfchostN}
     * @param refused told of every login that is refused, on event loops: must not block
     */
    public ServedFabric(
            String targetPrefix,
            ServedLus lus,
            ClientSecrets.Strangers strangers,
            Consumer<LoginDecision.Denied> refused) {
        this.targetPrefix = targetPrefix;
        this.lus = lus;
        this.secrets = new ClientSecrets(strangers);
        this.ports = new ClientPorts(new LoginDirectory(Fabric.EMPTY, targetPrefix), this::end, refused);
    }

    /** Whom to tell that sessions are to end, once portals listen. */
    public void sessionsEndBy(ClientPorts.SessionEnd end) {
        sessionEnd = end;
    }

    /** Whom to tell that initiators see something else than before, on the plane's thread. */
    public void tellChanges(Runnable hearer) {
        changed = hearer;
    }

    private void end(Predicate<SessionEvents.Session> which, String why) {
        ClientPorts.SessionEnd end = sessionEnd;
        if (end != null) {
            end.endSessions(which, why);
        }
    }

    /** Who may log in: clients, beside everybody to what is exported to everybody. */
    public TargetDirectory directory(TargetDirectory exports) {
        return new ClientDirectory(ports, secrets, exports, this::portAt);
    }

    /** The physical port that an address of this host is; empty if it is none. */
    private String portAt(InetSocketAddress address) {
        Map<String, String> names = portNames;
        String everywhere = names.getOrDefault(ANY + address.getPort(), "");
        return names.getOrDefault(Addresses.print(address), everywhere);
    }

    /** The clients' ports. */
    public ClientPorts ports() {
        return ports;
    }

    /** What clients see, as agents are to know it: every LU under each target of its client. */
    public List<ExportedUnit> exported() {
        PlaneState state = shown;
        List<ExportedUnit> units = new ArrayList<>();
        if (state == null) {
            return units;
        }
        LoginDirectory directory = state.directory(targetPrefix);
        for (ServerAdapter server : state.fabric().servers()) {
            for (LuMap map : state.fabric().mapsOf(server.client().client())) {
                LuBacking lu = state.backings().get(map.lu());
                if (lu != null) {
                    units.add(new ExportedUnit(
                            directory.targetName(server),
                            map.lun(),
                            lu.uuid().toString(),
                            lus.sizeBytes(lu.name()),
                            lu.readOnly() || map.access() == MapAccess.READ_ONLY));
                }
            }
        }
        return units;
    }

    /** What a target's client has at a LUN there; null if there is nothing, or it is not served. Waits for nothing. */
    public @Nullable LogicalUnit unitAt(String target, int lun) {
        return ports.logins().unitsAt(target).stream()
                .filter(map -> map.lun() == lun)
                .findFirst()
                .map(map -> lus.unit(map.lu()))
                .orElse(null);
    }

    /** The targets under which clients see an LU, as it was shown last. */
    public List<String> targetsOf(String lu) {
        PlaneState state = shown;
        if (state == null) {
            return List.of();
        }
        LoginDirectory directory = state.directory(targetPrefix);
        List<String> targets = new ArrayList<>();
        for (ServerAdapter server : state.fabric().servers()) {
            boolean sees = state.fabric().mapsOf(server.client().client()).stream()
                    .anyMatch(map -> map.lu().equals(lu));
            if (sees) {
                targets.add(directory.targetName(server));
            }
        }
        return targets;
    }

    /** What is shown; null before there is anything. */
    public @Nullable PlaneState shown() {
        return shown;
    }

    @Override
    public void begin(PlaneState state) {
        state.backings().values().forEach(lus::announce);
        show(state);
    }

    /**
     * Portals listen.
     *
     * @param bound where those listen whose setting says any TCP port (0), by that setting
     */
    public void portalsAt(Map<String, String> bound) {
        boundPortals = Map.copyOf(bound);
        PlaneState state = shown;
        if (state != null) {
            portNames = portNames(state);
        }
    }

    private Map<String, String> portNames(PlaneState state) {
        Map<String, String> names = new HashMap<>();
        for (PhysicalPort port : state.fabric().ports()) {
            names.put(location(port.location()), port.name());
            everywhere(port.location()).ifPresent(any -> names.put(any, port.name()));
        }
        boundPortals.forEach((set, address) -> {
            String name = names.get(set);
            if (name != null) {
                names.putIfAbsent(address, name);
                everywhere(address).ifPresent(any -> names.putIfAbsent(any, name));
            }
        });
        return Map.copyOf(names);
    }

    /** The name of a place that is at every address of the host. */
    private static Optional<String> everywhere(String location) {
        return Addresses.parseNumeric(location)
                .filter(at -> at.getAddress().isAnyLocalAddress())
                .map(at -> ANY + at.getPort());
    }

    private void show(PlaneState state) {
        shown = state;
        portNames = portNames(state);
        secrets.replace(accounts(state));
        ports.apply(state.directory(targetPrefix), lus::unit);
        changed.run();
    }

    private static String location(String text) {
        return Addresses.parseNumeric(text).map(Addresses::print).orElse(text);
    }

    /** The CHAP user is the client's name; its names on the wire are several. */
    private static Map<Integer, ChapAccount> accounts(PlaneState state) {
        Map<Integer, ChapAccount> accounts = new HashMap<>();
        for (Integer id : state.secrets().keySet()) {
            Optional<Client> client = state.fabric().client(id);
            Optional<String> secret = client.flatMap(state::secretOf);
            if (client.isPresent() && secret.isPresent()) {
                byte[] bytes = secret.get().getBytes(StandardCharsets.UTF_8);
                accounts.put(id, new ChapAccount(client.get().name(), bytes, Optional.empty(), "", new byte[0]));
            }
        }
        return accounts;
    }

    // ------------------------------------------------------------------ changes

    @Override
    public Prepared prepare(PlaneChange change) throws IOException {
        for (Path pool : change.newPoolDirectories()) {
            if (!Files.isDirectory(pool)) {
                throw new IOException(pool + (Files.exists(pool) ? " is no directory" : " does not exist")
                        + "; make that directory, or correct the path");
            }
        }
        Ready ready = new Ready(change);
        try {
            for (LuBacking lu : change.opened()) {
                ready.opened.put(lu, lus.open(lu, options(lu, change.image())));
            }
            for (LuBacking lu : change.resized()) {
                lus.grow(lu.name(), lu.sizeBytes());
            }
            return ready;
        } catch (BackendException e) {
            ready.withdraw();
            throw new IOException(e.getMessage(), e);
        } catch (IOException | RuntimeException | LinkageError e) {
            ready.withdraw();
            throw e;
        }
    }

    private static FileOptions options(LuBacking lu, PlaneChange.Image image) throws IOException {
        FileOptions existing = ServedLus.existing(lu);
        if (image != PlaneChange.Image.CREATED && image != PlaneChange.Image.CREATED_WHOLE) {
            return existing;
        }
        if (Files.exists(lu.path())) {
            throw new IOException(
                    lu.path() + " is there already; leave the size out to use it as it is, or name another");
        }
        FileOptions creating = existing.withSize(OptionalLong.of(lu.sizeBytes()));
        return image == PlaneChange.Image.CREATED ? creating : creating.withPreallocation();
    }

    private final class Ready implements Prepared {
        private final PlaneChange change;
        private final Map<LuBacking, FileBackend> opened = new LinkedHashMap<>();

        Ready(PlaneChange change) {
            this.change = change;
        }

        @Override
        public long sizeBytes(LuBacking lu) {
            FileBackend file = opened.get(lu);
            return file == null ? lu.sizeBytes() : file.sizeBytes();
        }

        @Override
        public void carryOut(PlaneState after) {
            opened.forEach((lu, file) -> lus.serve(after.backings().getOrDefault(lu.name(), lu), file));
            List<ServedLus.Retired> retired = new ArrayList<>();
            for (LuBacking lu : change.closed()) {
                ServedLus.Retired gone = lus.retire(lu.name());
                if (gone != null) {
                    retired.add(gone);
                }
            }
            show(after);
            retired.forEach(this::close);
        }

        /** When it is neither copied nor sanitized any more, and no command to it runs. */
        private void close(ServedLus.Retired gone) {
            Runnable closing = () -> gone.close(() -> {
                if (change.image() == PlaneChange.Image.DELETED) {
                    gone.deleteImage();
                }
            });
            LogicalUnit unit = gone.unit();
            if (unit == null) {
                closing.run();
            } else {
                unit.retire(() -> ports.idle(unit).thenRun(closing));
            }
        }

        /** An image that was made larger stays so: cutting it off again is the one thing that could lose something. */
        @Override
        public void withdraw() {
            opened.forEach((lu, file) -> {
                boolean created = file.created();
                ServedLus.closeQuietly(lu, file);
                if (created) {
                    ServedLus.delete(lu);
                }
            });
            opened.clear();
        }
    }
}
