package io.holdfast.management;

import io.holdfast.block.BackendException;
import io.holdfast.block.BlockBackend;
import io.holdfast.block.FileBackend;
import io.holdfast.block.FileOptions;
import io.holdfast.block.ImageClosing;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoPool;
import io.holdfast.iscsi.ChapAccounts;
import io.holdfast.iscsi.IscsiServer;
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.management.config.Export;
import io.holdfast.management.config.Portal;
import io.holdfast.management.config.ServeConfig;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.scsi.FileReservationStore;
import io.holdfast.scsi.FileSanitizeStore;
import io.holdfast.scsi.FixedLunView;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import io.holdfast.scsi.Lun;
import io.holdfast.scsi.ReservationStore;
import io.holdfast.scsi.SanitizeStore;
import io.holdfast.scsi.StorageListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is exported to everybody: images, with their logical units and targets. They come with the start, and come and go with
 * a reload. Changed by one thread at a time; any thread may look.
 */
final class ServedExports {
    /** How long flushing and closing images may take when the server stops, or when their exports are removed. */
    static final Duration CLOSING_LIMIT = Duration.ofSeconds(10);

    // Where in the state directory.
    private static final String RESERVATIONS = "reservations";
    private static final String SANITIZING = "sanitizing";

    private static final int SESSIONS_LOOK_MS = 20;
    private static final Logger log = LoggerFactory.getLogger(ServedExports.class);

    /** The sessions at targets. */
    interface Sessions {
        void end(Set<String> targets);

        boolean areAt(String target);
    }

    private final ServeConfig config;
    private final UnitWatch unitWatch;
    private final IoPool pool;
    private final List<ServedUnit> units = new CopyOnWriteArrayList<>();
    private final List<ExportDirectory> directories = new ArrayList<>();
    /** Removed while commands of theirs were running, which have not ended yet. */
    private final List<ServedUnit> leaving = new CopyOnWriteArrayList<>();
    /** Every initiator sees every export, so it may copy between all of them. */
    private final List<LogicalUnit> copyable = new CopyOnWriteArrayList<>();

    /** Of which units something is kept from before; null until the start asks for the first. */
    private @Nullable Set<UUID> remembered;

    private @Nullable UnitIdentities identities;
    private @Nullable IoLane lane;

    ServedExports(ServeConfig config, UnitWatch unitWatch, IoPool pool) {
        this.config = config;
        this.unitWatch = unitWatch;
        this.pool = pool;
    }

    /** Opens the images of the settings. */
    void open() throws IOException {
        UnitIdentities loaded = UnitIdentities.load(config.state());
        identities = loaded;
        for (Export export : config.exports()) {
            units.add(open(export, loaded));
        }
        loaded.save();
    }

    List<ServedUnit> units() {
        return List.copyOf(units);
    }

    private ServedUnit open(Export export, UnitIdentities identities) throws IOException {
        try {
            FileBackend backend = FileBackend.open(
                    export.path(),
                    new FileOptions(export.readOnly(), export.sizeBytes(), export.direct(), export.preallocate()));
            String name = config.namePrefix() + ":" + export.name();
            UUID uuid = identify(backend, identities, name, export);
            LogicalUnit.Builder builder = builder(uuid, backend, stores(backend, uuid), export.blockBytes())
                    .storageListener(unitWatch.watch(name, backend, pool));
            if (export.writeThrough()) {
                builder.writeThrough();
            }
            if (export.removable()) {
                builder.removable();
            }
            LogicalUnit unit = builder.build();
            copyable.add(unit);
            IscsiTarget target = new IscsiTarget(
                    name, config.portals().get(0).group(), new FixedLunView(Map.of(ServedUnit.LUN, unit), copyable));
            return new ServedUnit(export, target, uuid, backend);
        } catch (BackendException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private LogicalUnit.Builder builder(UUID uuid, BlockBackend backend, Stores stores, int blockBytes) {
        return LogicalUnit.builder(LogicalUnitIdentity.of(uuid), backend)
                .reservations(stores.reservations())
                .sanitizing(stores.sanitizing())
                .targetPorts(config.portals().stream().map(Portal::group).toList())
                .taskManagement(IscsiServer.TASK_MANAGEMENT)
                .blockBytes(blockBytes);
    }

    /**
     * The logical unit of an LU that the control plane knows.
     *
     * @param storage hears how its storage is
     */
    LogicalUnit unitOf(LuBacking lu, BlockBackend backend, StorageListener storage) {
        try {
            return unitOf(lu, backend, storage, stores(lu.uuid()));
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** The same, where {@link #remembers} has said that nothing is kept of it: the disk is not asked again. */
    LogicalUnit freshUnitOf(LuBacking lu, BlockBackend backend, StorageListener storage) {
        return unitOf(lu, backend, storage, freshStores(lu.uuid()));
    }

    private LogicalUnit unitOf(LuBacking lu, BlockBackend backend, StorageListener storage, Stores stores) {
        LogicalUnit.Builder builder =
                builder(lu.uuid(), backend, stores, lu.blockBytes()).storageListener(storage);
        if (lu.writeThrough()) {
            builder.writeThrough();
        }
        return builder.build();
    }

    /**
     * Whether the state directory keeps anything of a logical unit that has not been served since the start. Of most it keeps
     * nothing: it is listed once, and not asked for thousands of files that are not there.
     */
    boolean remembers(UUID uuid) {
        Set<UUID> listed = remembered;
        if (listed == null) {
            listed = new HashSet<>();
            try {
                if (config.state().isPresent()) {
                    Path state = config.state().get();
                    listed.addAll(FileReservationStore.units(state.resolve(RESERVATIONS)));
                    listed.addAll(FileSanitizeStore.units(state.resolve(SANITIZING)));
                }
                remembered = listed;
            } catch (IOException e) {
                // Whatever it is, reading the unit's own file says it with the file's name.
                log.debug("the state directory cannot be listed", e);
                return true;
            }
        }
        return listed.contains(uuid);
    }

    private static UUID identify(FileBackend backend, UnitIdentities identities, String name, Export export)
            throws IOException {
        Path path = export.path();
        try {
            return identities.of(
                    name,
                    path,
                    backend.created() ? UnitIdentities.Image.CREATED : UnitIdentities.Image.FOUND,
                    export.blockBytes());
        } catch (IOException e) {
            CreatedImage.remove(path, backend);
            backend.close();
            throw e;
        }
    }

    /**
     * What of a logical unit is kept in the state directory, and outlives the server; without one nothing is written anywhere.
     */
    private record Stores(ReservationStore reservations, SanitizeStore sanitizing) {}

    private Stores stores(FileBackend backend, UUID uuid) throws IOException {
        try {
            return stores(uuid);
        } catch (IOException e) {
            backend.close();
            throw e;
        }
    }

    private Stores stores(UUID uuid) throws IOException {
        if (config.state().isEmpty()) {
            return new Stores(ReservationStore.inMemory(), SanitizeStore.inMemory());
        }
        Path state = config.state().get();
        return new Stores(
                FileReservationStore.open(state.resolve(RESERVATIONS), uuid),
                FileSanitizeStore.open(state.resolve(SANITIZING), uuid));
    }

    private Stores freshStores(UUID uuid) {
        if (config.state().isEmpty()) {
            return new Stores(ReservationStore.inMemory(), SanitizeStore.inMemory());
        }
        Path state = config.state().get();
        return new Stores(
                FileReservationStore.fresh(state.resolve(RESERVATIONS), uuid),
                FileSanitizeStore.fresh(state.resolve(SANITIZING), uuid));
    }

    /** What initiators find who come through a portal of this group. */
    ExportDirectory directory(int group) {
        ExportDirectory directory = new ExportDirectory(units, group);
        directories.add(directory);
        return directory;
    }

    /** From now on logins prove themselves by these; sessions stay. */
    void accounts(ChapAccounts next) {
        directories.forEach(directory -> directory.accounts(next));
    }

    /**
     * What need not stand between exec and serving.
     *
     * @param anyLane for what belongs to no connection
     */
    void finishStart(IoLane anyLane) {
        lane = anyLane;
        units.forEach(unit -> {
            bindNative(unit);
            logicalUnit(unit).resumeSanitizing(anyLane);
        });
    }

    private static void bindNative(ServedUnit unit) {
        try {
            unit.backend().bindNative();
        } catch (IOException | LinkageError e) {
            log.warn(
                    "{}: native I/O cannot be used, slower ways are: {}",
                    unit.export().path(),
                    e.getMessage());
        }
    }

    // ------------------------------------------------------------------ reload

    /** Serves an export from now on; what keeps it from being served is said in the log. */
    void add(Export export) {
        try {
            UnitIdentities known = Objects.requireNonNull(identities, "not opened");
            ServedUnit unit = open(export, known);
            try {
                known.save();
            } catch (IOException e) {
                CreatedImage.remove(export.path(), unit.backend());
                unit.backend().close();
                throw e;
            }
            bindNative(unit);
            logicalUnit(unit).resumeSanitizing(Objects.requireNonNull(lane, "not started"));
            units.add(unit);
            directories.forEach(directory -> directory.show(units));
            log.info("{}: served from now on", unit.target().name());
        } catch (IOException e) {
            log.error("export {} cannot be served: {}", export.name(), e.getMessage());
        }
    }

    /** Ends exports, with their sessions. */
    void remove(Collection<String> exports, Sessions sessions) {
        List<ServedUnit> gone = units.stream()
                .filter(unit -> exports.contains(unit.export().name()))
                .toList();
        if (gone.isEmpty()) {
            return;
        }
        Set<String> names = gone.stream().map(unit -> unit.target().name()).collect(Collectors.toSet());
        units.removeAll(gone);
        directories.forEach(directory -> directory.show(units));
        copyable.removeAll(gone.stream().map(ServedExports::logicalUnit).toList());
        long deadline = System.nanoTime() + TargetServer.COMMANDS_LIMIT.toNanos();
        do {
            // Again and again: one that is just beginning is met by the next look.
            sessions.end(names);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(SESSIONS_LOOK_MS));
        } while (names.stream().anyMatch(sessions::areAt) && System.nanoTime() - deadline < 0);
        ImageClosing closing = new ImageClosing();
        List<ServedUnit> closed = new ArrayList<>();
        for (ServedUnit unit : gone) {
            if (sessions.areAt(unit.target().name()) || !copiesEnded(unit, deadline)) {
                leaving.add(unit);
                log.warn(
                        "{}: not served any more; its image stays open and locked until the server stops, because commands"
                                + " have not ended within {} s",
                        unit.target().name(),
                        TargetServer.COMMANDS_LIMIT.toSeconds());
            } else {
                beginToClose(unit, closing);
                closed.add(unit);
            }
        }
        List<String> late = closing.await(CLOSING_LIMIT);
        closed.stream()
                .filter(unit -> !late.contains(unit.export().path().toString()))
                .forEach(unit -> log.info(
                        "{}: not served any more, its image is closed",
                        unit.target().name()));
    }

    /** What is exported at a target's LUN; null if nothing is. */
    @Nullable
    LogicalUnit unitAt(String target, int lun) {
        return units.stream()
                .filter(unit -> lun == ServedUnit.LUN && unit.target().name().equals(target))
                .findFirst()
                .map(ServedExports::logicalUnit)
                .orElse(null);
    }

    private static LogicalUnit logicalUnit(ServedUnit unit) {
        return (LogicalUnit) unit.target().luns().at(Lun.ofNumber(ServedUnit.LUN));
    }

    /** Copies for initiators of other exports, and sanitizing, which stops. */
    private static boolean copiesEnded(ServedUnit unit, long deadlineNanos) {
        CountDownLatch ended = new CountDownLatch(1);
        logicalUnit(unit).retire(ended::countDown);
        try {
            return ended.await(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    // ------------------------------------------------------------------ the end

    /** The start has failed: removes the images that it has made. */
    void removeCreated() {
        UnitIdentities known = identities;
        if (known == null) {
            return;
        }
        units.stream()
                .filter(unit -> CreatedImage.remove(unit.export().path(), unit.backend()))
                .forEach(unit -> known.revert(unit.target().name()));
        try {
            known.save();
        } catch (IOException e) {
            log.warn("the identities of images that were removed again stay on record: {}", e.getMessage());
        }
    }

    /** The server ends: what is being sanitized is left to the next one. */
    void stopSanitizing() {
        units.forEach(unit -> logicalUnit(unit).retire(() -> {}));
        leaving.forEach(unit -> logicalUnit(unit).retire(() -> {}));
    }

    /** Nothing runs any more. */
    void close(ImageClosing closing) {
        units.forEach(unit -> beginToClose(unit, closing));
        leaving.forEach(unit -> beginToClose(unit, closing));
    }

    private static void beginToClose(ServedUnit unit, ImageClosing closing) {
        closing.begin(unit.export().path().toString(), unit.backend()::closeDurably);
    }

    /** The state directory is another server's from now on. */
    void closeIdentities() {
        UnitIdentities locked = identities;
        if (locked != null) {
            locked.close();
        }
    }
}
