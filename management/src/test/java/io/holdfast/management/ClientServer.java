package io.holdfast.management;

import io.holdfast.block.IoPool;
import io.holdfast.iscsi.EventLoops;
import io.holdfast.iscsi.IoWay;
import io.holdfast.iscsi.IscsiServer;
import io.holdfast.iscsi.IscsiSettings;
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.iscsi.LoginStatus;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.iscsi.TargetDirectory;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.management.plane.PlaneChange;
import io.holdfast.management.plane.PlaneState;
import io.holdfast.management.plane.PlaneStates;
import io.holdfast.management.served.ClientSecrets;
import io.holdfast.management.served.ServedFabric;
import io.holdfast.management.served.ServedLus;
import io.holdfast.net.Addresses;
import io.holdfast.npiv.AdapterCommand;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.ClientCommand;
import io.holdfast.npiv.ClientKind;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.FabricCommand;
import io.holdfast.npiv.FabricObject;
import io.holdfast.npiv.LoginDecision;
import io.holdfast.npiv.LuCommand;
import io.holdfast.npiv.MapAccess;
import io.holdfast.npiv.Outcome;
import io.holdfast.npiv.PoolCommand;
import io.holdfast.npiv.PortCommand;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.npiv.Sharing;
import io.holdfast.npiv.Wwpn;
import io.holdfast.npiv.WwpnPrefix;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A server that listens for clients, and the changes that an administrator would make of it. */
final class ClientServer implements AutoCloseable {
    static final String PREFIX = "iqn.2026-11.io.holdfast:";
    static final long LU_BYTES = 4 << 20;
    private static final String PORT = "fcs0";

    private final Path dir;
    private final IoPool pool = new IoPool();
    private final EventLoops loops = EventLoops.start(IoWay.PORTABLE, 2, 0, pool);
    private final ServedLus lus =
            new ServedLus((lu, backend) -> LogicalUnit.builder(LogicalUnitIdentity.of(lu.uuid()), backend)
                    .blockBytes(lu.blockBytes())
                    .build());
    private final Queue<LoginDecision.Denied> refused = new ConcurrentLinkedQueue<>();
    private final ServedFabric served = new ServedFabric(PREFIX, lus, ClientSecrets.Strangers.ASKED, refused::add);
    private final IscsiServer server;
    private final Map<String, LuBacking> backings = new TreeMap<>();
    private final Map<Integer, String> secrets = new HashMap<>();
    private Fabric fabric = Fabric.EMPTY;
    private PlaneState state = PlaneStates.of(fabric, List.of(), Map.of());

    private static final class NoExports implements TargetDirectory {
        @Override
        public Decision login(String initiatorName, String targetName) {
            return new Decision.Refuse(LoginStatus.NOT_FOUND, "target " + targetName);
        }

        @Override
        public List<IscsiTarget> visibleTo(String initiatorName) {
            return List.of();
        }
    }

    /** @param dir where images are made */
    ClientServer(Path dir, String address) throws IOException {
        this.dir = dir;
        server = IscsiServer.start(
                List.of(new IscsiServer.Portal(new InetSocketAddress(address, 0), served.directory(new NoExports()))),
                loops,
                SessionEvents.NONE,
                IscsiSettings.DEFAULT);
        served.sessionsEndBy(server::endSessions);
        lus.openAnnounced();
        done(new PoolCommand.Create("blue", new WwpnPrefix("c05076075aac")));
        done(new PortCommand.Add(PORT, portal(), 4096));
    }

    /** {@code ip:port}. */
    String portal() {
        return Addresses.print(server.portals().get(0));
    }

    Queue<LoginDecision.Denied> refused() {
        return refused;
    }

    FabricObject done(FabricCommand command) {
        Outcome.Done outcome = (Outcome.Done) fabric.apply(command);
        fabric = outcome.fabric();
        return outcome.objects().get(0);
    }

    /** With an adapter at the portal. */
    ClientAdapter client(String name) {
        Client client = (Client) done(new ClientCommand.Create(name, ClientKind.VM));
        ClientAdapter adapter = (ClientAdapter) done(new AdapterCommand.Add(client.id(), "blue", null));
        ServerAdapter paired = (ServerAdapter) done(new AdapterCommand.Pair(adapter.id(), null));
        done(new PortCommand.Assign(paired.number(), PORT));
        return adapter;
    }

    void secret(ClientAdapter of, String secret) {
        secrets.put(of.id().client(), secret);
    }

    /** A new LU, shown to a client under the next number. */
    void addLu(ClientAdapter to, String name) throws IOException {
        done(new LuCommand.Add(name, Sharing.PRIVATE));
        backings.put(
                name,
                new LuBacking(
                        name,
                        dir.resolve(name + ".img"),
                        null,
                        UUID.randomUUID(),
                        LU_BYTES,
                        512,
                        false,
                        false,
                        false,
                        fabric.version()));
        done(new LuCommand.Map(to.id().client(), name, MapAccess.READ_WRITE, null));
        carryOut(PlaneChange.Image.CREATED);
    }

    /** Takes an LU from its client, and deletes it. */
    void removeLu(ClientAdapter from, int lun, String name) throws IOException {
        done(new LuCommand.Unmap(from.id().client(), lun));
        carryOut(PlaneChange.Image.KEPT);
        done(new LuCommand.Remove(name));
        backings.remove(name);
        carryOut(PlaneChange.Image.DELETED);
    }

    void grow(String name, long sizeBytes) throws IOException {
        LuBacking old = backings.get(name);
        if (old == null) {
            throw new IllegalArgumentException(name);
        }
        backings.put(
                name,
                new LuBacking(
                        name, old.path(), null, old.uuid(), sizeBytes, 512, false, false, false, fabric.version()));
        carryOut(PlaneChange.Image.KEPT);
    }

    /** Makes what was commanded true. */
    void carryOut(PlaneChange.Image image) throws IOException {
        PlaneState next = PlaneStates.of(fabric, backings.values(), secrets);
        served.prepare(new PlaneChange(state, next, image)).carryOut(next);
        state = next;
    }

    String target(ClientAdapter of) {
        return fabric.servers().stream()
                .filter(each -> each.client().equals(of.id()))
                .map(each -> PREFIX + each.name())
                .findFirst()
                .orElseThrow();
    }

    /** What QEMU's tools open. */
    String imageOptions(Wwpn name, ClientAdapter to, int lun) {
        return "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=" + portal() + ",file.target=" + target(to)
                + ",file.lun=" + lun + ",file.initiator-name=" + name.naaName();
    }

    @Override
    public void close() {
        lus.stopOpening();
        server.stop(Duration.ofSeconds(5));
        pool.close(Duration.ofSeconds(5));
        lus.close();
        loops.close();
    }
}
