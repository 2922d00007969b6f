package io.holdfast.drills;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The scene of one failover drill, and all that a {@link FailoverFault} can do to it. Belongs to the drill's thread. Times are
 * {@link System#nanoTime()}.
 */
final class FailoverStage implements AutoCloseable {
    /** Where a guest's image lies. */
    enum Storage {
        ORDINARY,
        /** In memory, to be made full. */
        SMALL,
        /** An ext4 of its own on a loop device, to hang or to be taken away. */
        LOOP
    }

    /** How the client host and the server are connected. */
    enum Network {
        LOOPBACK,
        /** The same, and the agent's portal is held for it while it is dead, as systemd does it. */
        HELD_PORTAL,
        /** By a cable that can be cut. */
        CABLE
    }

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String FIRST = "web1";
    private static final String STALL_LIMIT_S = "1";

    private final FailoverPlan plan;
    private final Scene scene;
    private final @Nullable TwoHosts hosts;
    private final @Nullable Mount mount;
    private final @Nullable HeldPort portal;
    private final ServerProcess.Setting server;
    private final Map<String, String> said = new LinkedHashMap<>();
    private final List<Scene.Vm> vms = new ArrayList<>();
    private final FactLog facts = new FactLog();
    private final Random random;

    private ServerProcess serving;
    private @Nullable AgentProcess agent;
    private @Nullable SyscallTrouble trouble;
    private long struckNs;
    private OptionalLong backNs = OptionalLong.empty();

    private FailoverStage(
            FailoverPlan plan,
            Scene scene,
            @Nullable TwoHosts hosts,
            @Nullable Mount mount,
            @Nullable HeldPort portal,
            ServerProcess.Setting server,
            ServerProcess serving) {
        this.plan = plan;
        this.scene = scene;
        this.hosts = hosts;
        this.mount = mount;
        this.portal = portal;
        this.server = server;
        this.serving = serving;
        random = new Random(plan.seed());
    }

    /** Starts everything, and waits until the guests write. */
    static FailoverStage set(FailoverPlan plan, Drill.Setting setting)
            throws DrillFailure, NotHere, IOException, InterruptedException {
        FailoverFault fault = plan.fault();
        TwoHosts hosts = fault.network() == Network.CABLE ? TwoHosts.make() : null;
        Scene scene = null;
        Mount mount = null;
        HeldPort portal = null;
        try {
            scene = new Scene(
                    setting.workParent(),
                    setting.images(),
                    setting.holdfast(),
                    hosts == null ? Host.LOOPBACK : hosts.clientHost(),
                    hosts == null ? Host.LOOPBACK : hosts.serverHost());
            mount = mount(fault.storage(), scene.place());
            portal = fault.network() == Network.HELD_PORTAL ? HeldPort.open() : null;
            ServerProcess.Setting server = serverSetting(plan, scene, mount);
            FailoverStage stage = new FailoverStage(plan, scene, hosts, mount, portal, server, scene.start(server));
            stage.begin();
            return stage;
        } catch (DrillFailure | NotHere | IOException | InterruptedException | RuntimeException e) {
            close(scene, mount, portal, hosts);
            throw e;
        }
    }

    private static @Nullable Mount mount(Storage storage, Workplace place)
            throws IOException, NotHere, InterruptedException {
        return switch (storage) {
            case ORDINARY -> null;
            case SMALL -> Mount.tmpfs(place.file("small"), "128m");
            case LOOP -> Mount.loop(place.file("loop"), "256m");
        };
    }

    private static ServerProcess.Setting serverSetting(FailoverPlan plan, Scene scene, @Nullable Mount mount)
            throws DrillFailure, IOException {
        List<String> more = new ArrayList<>();
        for (int i = 1; i < known(plan); i++) {
            more.addAll(List.of("--export", scene.image(nameOf(i)).toString()));
        }
        if (plan.disks().two()) {
            Path data = scene.place().file("data.img");
            more.addAll(List.of("--export", data + ",size=32M"));
        }
        if (mount != null) {
            more.addAll(List.of("--stall-limit", STALL_LIMIT_S));
        }
        Path first = mount == null ? scene.image(FIRST) : scene.image(FIRST, mount.folder());
        return scene.server("server", first, more.toArray(new String[0]));
    }

    /** How many guests the server and the agent know. */
    private static int known(FailoverPlan plan) {
        return plan.fault().guests() + plan.fault().shape().scenery().spare();
    }

    private static String nameOf(int number) {
        return number == 0 ? FIRST : "web" + (number + 1);
    }

    private void begin() throws DrillFailure, IOException, InterruptedException {
        for (int i = 0; i < known(plan); i++) {
            int port = portal != null && i == 0 ? portal.port() : FreePort.choose();
            said.put(nameOf(i), GuestVm.agentMonitor(scene.place(), nameOf(i)) + ",portal=127.0.0.1:" + port);
        }
        if (plan.route() == Route.THROUGH_AGENT) {
            startAgent();
        }
        for (int i = 0; i < plan.fault().guests(); i++) {
            scene.awaitWriting(startGuest(nameOf(i)));
        }
    }

    private Scene.Vm startGuest(String name) throws DrillFailure, IOException, InterruptedException {
        int portal = plan.route() == Route.THROUGH_AGENT
                ? Objects.requireNonNull(agent).awaitPortal(name)
                : server.iscsiPort();
        String words = plan.load().words() + (plan.disks().two() ? " holdfast.disks=vdb" : "");
        List<String> more = plan.disks().two() ? secondDisk(portal) : List.of();
        Scene.Vm vm = scene.guest(name, plan.disks().first(), words, portal, "", more);
        vms.add(vm);
        return vm;
    }

    private static List<String> secondDisk(int portal) {
        return List.of(
                "-object",
                "iothread,id=io1",
                "-blockdev",
                "driver=iscsi,node-name=iscsi1,transport=tcp,portal=127.0.0.1:" + portal
                        + ",target=iqn.2026-11.io.holdfast:data,lun=0,cache.direct=on",
                "-blockdev",
                "driver=raw,node-name=disk1,file=iscsi1,cache.direct=on",
                "-device",
                "virtio-blk-pci,iothread=io1,drive=disk1,werror=stop,rerror=stop");
    }

    // ------------------------------------------------------------------ what is known

    FailoverPlan plan() {
        return plan;
    }

    Scene scene() {
        return scene;
    }

    List<Scene.Vm> vms() {
        return List.copyOf(vms);
    }

    Scene.Vm first() {
        return vms.get(0);
    }

    Random random() {
        return random;
    }

    /** When the latest fault was. */
    long struckNs() {
        return struckNs;
    }

    /** When it was over; empty until then. Of a server that was started anew: when it accepted a connection. */
    OptionalLong backNs() {
        return backNs.isPresent()
                ? facts.firstFrom(FactLog.Fact.SERVER_LISTENS, backNs.getAsLong())
                : OptionalLong.empty();
    }

    /** Lines of every agent there was, oldest first. */
    List<Child.Line> agentLines() {
        return scene.place().children().stream()
                .filter(child -> child.name().equals("the agent"))
                .flatMap(child -> child.lines().stream())
                .toList();
    }

    /** The next outage is about to begin. */
    void forgetOutage() {
        backNs = OptionalLong.empty();
    }

    private void strikes() {
        struckNs = System.nanoTime();
    }

    private void back() {
        long now = System.nanoTime();
        backNs = OptionalLong.of(now);
        facts.began(FactLog.Fact.SERVER_LISTENS, now);
    }

    // ------------------------------------------------------------------ the server

    void killServer() {
        strikes();
        serving.child().kill();
    }

    /** Once more in the same outage, whose figures are those of the first time. */
    void killAgain() {
        serving.child().kill();
    }

    void terminateServer() throws DrillFailure, InterruptedException {
        strikes();
        serving.child().terminate();
        scene.await("the server to go", LIMIT, () -> !serving.child().alive());
    }

    /** A next one in its place. */
    void startServer() throws DrillFailure, InterruptedException {
        backNs = OptionalLong.of(System.nanoTime());
        ServerProcess next = ServerProcess.start(scene.place(), server);
        ListenProbe probe = new ListenProbe(server.iscsiPort(), facts);
        try {
            probe.start();
            next.awaitServing();
            scene.await("the server to listen", LIMIT, () -> backNs().isPresent());
        } finally {
            probe.stop();
        }
        serving = next;
    }

    /** SIGSTOP: its connections stay, and nothing is answered. */
    void suspendServer() throws DrillFailure, InterruptedException {
        strikes();
        SystemTool.insist("kill", "-STOP", String.valueOf(serving.child().pid()));
    }

    void continueServer() throws DrillFailure, InterruptedException {
        back();
        SystemTool.insist("kill", "-CONT", String.valueOf(serving.child().pid()));
    }

    /** A suspended one that is not to come back. */
    void replaceServer() throws DrillFailure, InterruptedException {
        serving.child().kill();
        scene.await("the server to end", LIMIT, () -> !serving.child().alive());
        startServer();
    }

    /** Comes, serves for a moment and goes again, so many times. */
    void flap(int times) throws DrillFailure, InterruptedException {
        killServer();
        long firstNs = struckNs;
        for (int i = 0; i < times; i++) {
            pass(Duration.ofMillis(100 + random.nextInt(300)));
            startServer();
            pass(Duration.ofMillis(random.nextInt(700)));
            serving.child().kill();
        }
        struckNs = firstNs;
    }

    /** It begins, or ends, in the figures only. */
    void nothing() {
        strikes();
    }

    // ------------------------------------------------------------------ the network

    void cable(TwoHosts.Cable cable) throws DrillFailure, InterruptedException {
        if (cable == TwoHosts.Cable.WHOLE) {
            back();
        } else {
            strikes();
        }
        Objects.requireNonNull(hosts).cable(cable);
    }

    // ------------------------------------------------------------------ the storage

    private Mount mounted() {
        return Objects.requireNonNull(mount);
    }

    void fillStorage() throws IOException {
        strikes();
        mounted().fill();
    }

    void makeRoom() throws IOException {
        back();
        mounted().makeRoom();
    }

    void hangStorage() throws DrillFailure, InterruptedException {
        strikes();
        mounted().hang();
    }

    void storageGoesOn() throws DrillFailure, InterruptedException {
        back();
        mounted().goOn();
    }

    void takeStorageAway() throws DrillFailure, InterruptedException {
        strikes();
        mounted().takeAway();
    }

    void bringStorageBack() throws DrillFailure, InterruptedException {
        back();
        mounted().bringBack();
    }

    void moveImageAway() throws IOException {
        strikes();
        Files.move(first().image(), first().image().resolveSibling("away.img"));
    }

    void moveImageBack() throws IOException {
        back();
        Files.move(first().image().resolveSibling("away.img"), first().image());
    }

    void trouble(SyscallTrouble.Kind kind) throws DrillFailure, NotHere, InterruptedException {
        strikes();
        trouble = SyscallTrouble.begin(scene.place(), serving.child().pid(), first().image(), kind);
        // It takes effect when strace has taken hold of every thread, not when it was asked to.
        strikes();
    }

    void noTrouble() {
        Objects.requireNonNull(trouble).close();
        back();
    }

    // ------------------------------------------------------------------ the agent, and others

    void killAgent() throws DrillFailure, InterruptedException {
        AgentProcess running = Objects.requireNonNull(agent);
        running.child().kill();
        scene.await("the agent to end", LIMIT, () -> !running.child().alive());
    }

    void startAgent() throws DrillFailure, InterruptedException {
        agent = portal == null ? scene.agent(List.of(server), said) : scene.agent(portal.host(), List.of(server), said);
    }

    void awaitPaused() throws DrillFailure, InterruptedException {
        for (Scene.Vm vm : vms) {
            scene.awaitPaused(vm);
        }
    }

    /** Another guest comes up while the server is away. */
    void startAnotherGuest() throws DrillFailure, IOException, InterruptedException {
        startGuest(nameOf(vms.size()));
    }

    /** A copy of the first guest's disk begins, slowly; an error of the disk makes it wait. */
    void startBackup() throws DrillFailure, IOException {
        Path copy = file("backup.img");
        try (RandomAccessFile created = new RandomAccessFile(copy.toFile(), "rw")) {
            created.setLength(Files.size(first().image()));
        }
        tellQemu(
                "blockdev-add",
                "{\"driver\":\"raw\",\"node-name\":\"copy\",\"file\":{\"driver\":\"file\",\"filename\":\"" + copy
                        + "\"}}");
        tellQemu(
                "blockdev-backup",
                "{\"job-id\":\"copy0\",\"device\":\"disk0\",\"target\":\"copy\",\"sync\":\"full\",\"speed\":2000000,"
                        + "\"on-source-error\":\"stop\"}");
    }

    /** As an administrator says it, with arguments in JSON. */
    void tellQemu(String command, String arguments) throws DrillFailure, IOException {
        scene.tellQemu(first(), command, arguments);
    }

    void pass(Duration span) throws DrillFailure, InterruptedException {
        Patience.letPass(span, List.of());
    }

    /** Lets something between nothing and this pass. */
    void passUpTo(Duration most) throws DrillFailure, InterruptedException {
        pass(Duration.ofMillis((long) (most.toMillis() * random.nextDouble())));
    }

    Path file(String name) {
        return scene.place().file(name);
    }

    /** What would keep guests from ending in order is over. */
    void tidyUp() {
        if (trouble != null) {
            trouble.close();
        }
    }

    @Override
    public void close() {
        tidyUp();
        close(scene, mount, portal, hosts);
    }

    private static void close(
            @Nullable Scene scene, @Nullable Mount mount, @Nullable HeldPort portal, @Nullable TwoHosts hosts) {
        // A server whose storage hangs does not end before it goes on.
        if (mount != null) {
            mount.close();
        }
        if (scene != null) {
            scene.close();
        }
        if (portal != null) {
            portal.close();
        }
        if (hosts != null) {
            hosts.close();
        }
    }
}
