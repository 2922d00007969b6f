package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** Cases of freezing and thawing beyond a server that goes and comes back: real guests, real servers, a real agent. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class FreezeCasesIT {
    @TempDir
    private Path work = Path.of("");

    private GuestImages images = new GuestImages(Path.of(""), Path.of(""), Path.of(""), Path.of(""));

    @BeforeAll
    void prepareImages() throws InterruptedException {
        images = FailoverDrillIT.imagesOrSkip();
    }

    private static Path secretFile(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    private interface Mounting {
        Mount mount() throws IOException, NotHere, InterruptedException;
    }

    private static Mount mountOrSkip(Mounting mounting) throws IOException, InterruptedException {
        try {
            return mounting.mount();
        } catch (NotHere e) {
            System.out.println("skipped: " + e.getMessage());
            throw new TestAbortedException(e.getMessage(), e);
        }
    }

    @Test
    void shouldProtectAGuestWhoseServerAsksForChap() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ChapSecrets guestSecrets = ChapSecrets.random();
            ChapSecrets agentSecrets = new ChapSecrets(
                    "agent", ChapSecrets.random().password(), "holdfast", guestSecrets.targetPassword());
            Path accounts =
                    secretFile(scene.place().file("server-chap.toml"), guestSecrets.toToml() + agentSecrets.toToml());
            Path account = secretFile(scene.place().file("agent-chap.toml"), agentSecrets.toToml());
            ServerProcess.Setting setting =
                    scene.server("server", scene.image("web1"), "--chap-file", accounts.toString());
            ServerProcess server = scene.start(setting);
            scene.agent(List.of(setting), List.of("web1"), "--chap-file", account.toString());
            Scene.Vm vm = scene.guest(
                    "web1",
                    DeviceKind.VIRTIO_BLK,
                    ",user=guest,password-secret=chap0",
                    List.of("-object", "secret,id=chap0,data=" + guestSecrets.password()));
            scene.awaitWriting(vm);

            for (int i = 1; i <= 2; i++) {
                server.child().kill();
                scene.awaitPaused(vm);
                server = scene.start(setting);
                scene.awaitProgress(vm);
                assertThat(vm.pauses()).isEqualTo(i);
            }

            scene.requireUnharmed(vm);
        }
    }

    /** Two guests that write, {@code web1} and {@code web2}, with an agent, on one server. */
    private record TwoGuests(ServerProcess.Setting setting, ServerProcess server, Scene.Vm first, Scene.Vm second) {
        static TwoGuests of(Scene scene) throws DrillFailure, IOException, InterruptedException {
            ServerProcess.Setting setting = scene.server(
                    "server",
                    scene.image("web1"),
                    "--export",
                    scene.image("web2").toString());
            ServerProcess server = scene.start(setting);
            scene.agent(List.of(setting), List.of("web1", "web2"));
            TwoGuests two = new TwoGuests(setting, server, scene.guest("web1"), scene.guest("web2"));
            scene.awaitWriting(two.first());
            scene.awaitWriting(two.second());
            return two;
        }
    }

    // ------------------------------------------------------------------ the server's storage

    @Test
    void shouldFreezeOnlyTheGuestWhoseImageIsGone() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            TwoGuests two = TwoGuests.of(scene);
            Scene.Vm struck = two.first();
            Scene.Vm other = two.second();

            Path away = struck.image().resolveSibling("away.img");
            Files.move(struck.image(), away);
            scene.awaitPaused(struck);
            scene.awaitSaid("storage-gone");
            scene.awaitProgress(other);
            Files.move(away, struck.image());

            scene.awaitProgress(struck);
            assertThat(struck.pauses()).isEqualTo(1);
            assertThat(other.pauses()).isZero();
            scene.requireUnharmed(struck);
            scene.requireUnharmed(other);
        }
    }

    @Test
    void shouldFreezeTheGuestWhoseStorageIsFull() throws Exception {
        try (Scene scene = new Scene(work, images);
                Mount small = mountOrSkip(() -> Mount.tmpfs(scene.place().file("small"), "128m"))) {
            ServerProcess.Setting setting = scene.server("server", scene.image("web1", small.folder()));
            scene.start(setting);
            scene.agent(List.of(setting), List.of("web1"));
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);

            small.fill();
            scene.awaitPaused(vm);
            scene.awaitSaid("storage-full");
            small.makeRoom();

            scene.awaitProgress(vm);
            scene.requireUnharmed(vm);
        }
    }

    @Test
    void shouldFreezeTheGuestWhoseStorageHangs() throws Exception {
        try (Scene scene = new Scene(work, images);
                Mount disk = mountOrSkip(() -> Mount.loop(scene.place().file("loop"), "256m"))) {
            ServerProcess.Setting setting =
                    scene.server("server", scene.image("web1", disk.folder()), "--stall-limit", "1");
            scene.start(setting);
            scene.agent(List.of(setting), List.of("web1"));
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);

            disk.hang();
            scene.awaitPaused(vm);
            scene.awaitSaid("storage-stalled");
            disk.goOn();

            scene.awaitProgress(vm);
            assertThat(vm.pauses()).isEqualTo(1);
            scene.requireUnharmed(vm);
        }
    }

    // ------------------------------------------------------------------ several servers, several guests

    @Test
    void shouldThawAGuestWithDisksOnTwoServersWhenBothAreBack() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ServerProcess.Setting first = scene.server("first", scene.image("web1"));
            ServerProcess.Setting second = scene.server("second", scene.image("data"));
            ServerProcess one = scene.start(first);
            ServerProcess two = scene.start(second);
            scene.agent(List.of(first, second), List.of("web1"));
            Scene.Vm vm = scene.guest("web1", DeviceKind.VIRTIO_BLK, "", scene.secondDisk("web1", "data"));
            scene.awaitWriting(vm);

            two.child().kill();
            scene.awaitPaused(vm);
            one.child().kill();
            scene.start(first);
            scene.awaitSaid("waits for server");
            assertThat(vm.paused()).isTrue();
            scene.start(second);

            scene.awaitProgress(vm);
            assertThat(vm.pauses()).isEqualTo(1);
            scene.requireUnharmed(vm);
        }
    }

    @Test
    void shouldFreezeAndThawTenGuestsTogether() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            List<String> names = new ArrayList<>();
            List<String> exports = new ArrayList<>();
            Map<String, String> said = new LinkedHashMap<>();
            for (int i = 0; i < 10; i++) {
                String name = "vm" + i;
                names.add(name);
                said.put(name, GuestVm.agentMonitor(scene.place(), name) + ",priority=" + i);
                if (i > 0) {
                    exports.addAll(List.of("--export", scene.image(name).toString()));
                }
            }
            ServerProcess.Setting setting = scene.server("server", scene.image("vm0"), exports.toArray(new String[0]));
            ServerProcess server = scene.start(setting);
            scene.agent(List.of(setting), said);
            List<Scene.Vm> vms = new ArrayList<>();
            for (String name : names) {
                Scene.Vm vm = scene.guest(name);
                scene.awaitWriting(vm);
                vms.add(vm);
            }

            long faultNs = System.nanoTime();
            server.child().kill();
            for (Scene.Vm vm : vms) {
                scene.awaitPaused(vm);
            }
            LongSummaryStatistics frozen = scene.msSince(faultNs, "STOP");
            server = scene.start(setting);
            long servesNs = server.servingNs().orElseThrow();
            for (Scene.Vm vm : vms) {
                scene.awaitProgress(vm);
            }
            LongSummaryStatistics thawed = scene.msSince(servesNs, "RESUME");

            System.out.printf(
                    "ten guests: frozen %d to %d ms after SIGKILL, resumed %d to %d ms after the server served%n",
                    frozen.getMin(), frozen.getMax(), thawed.getMin(), thawed.getMax());
            for (Scene.Vm vm : vms) {
                assertThat(vm.pauses()).as(vm.name()).isEqualTo(1);
                scene.requireUnharmed(vm);
            }
        }
    }

    // ------------------------------------------------------------------ guards

    @Test
    void shouldGoOnWhenAgentAndServerAreKilledTogetherAndTheServerComesBackElsewhere() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            Map<String, String> said = Map.of(
                    "web1", GuestVm.agentMonitor(scene.place(), "web1") + ",portal=127.0.0.1:" + FreePort.choose());
            AgentProcess agent = scene.agent(List.of(setting), said);
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);

            server.child().kill();
            scene.awaitPaused(vm);
            agent.child().kill();
            scene.start(new ServerProcess.Setting(
                    setting.holdfast(),
                    FreePort.choose(),
                    setting.controlPort(),
                    setting.image(),
                    setting.stateFolder()));
            scene.agent(List.of(setting), said);

            scene.awaitProgress(vm);
            assertThat(vm.pauses()).isEqualTo(1);
            scene.requireUnharmed(vm);
        }
    }

    @Test
    void shouldLeaveAloneWhatSomebodyPausedOrResumed() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            scene.agent(List.of(setting), List.of("web1"));
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);

            scene.tellQemu(vm, "stop");
            scene.awaitSaid("paused by somebody else");
            server.child().kill();
            scene.awaitSaid(" lost: ");
            server = scene.start(setting);
            scene.awaitSaid("serves at its portal", 2);
            assertThat(vm.resumes())
                    .as("nobody but its administrator resumes it")
                    .isZero();
            scene.tellQemu(vm, "cont");
            scene.awaitProgress(vm);

            server.child().kill();
            scene.await("a second pause", Duration.ofSeconds(20), () -> vm.pauses() == 2);
            scene.start(setting);
            scene.awaitProgress(vm);
            scene.requireUnharmed(vm);
        }
    }

    @Test
    void shouldForgetAGuestWhoseQemuDiedFrozen() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            scene.agent(List.of(setting), List.of("web1"));
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);

            server.child().kill();
            scene.awaitPaused(vm);
            vm.qemu().child().kill();
            scene.awaitSaid("ABSENT");
            scene.start(setting);
            Scene.Vm next = scene.guest("web1");

            scene.awaitWriting(next);
            assertThat(next.pauses()).isZero();
        }
    }

    @Test
    void shouldEndAGuestWhoseLimitHasPassed() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            scene.agent(
                    List.of(setting),
                    Map.of("web1", GuestVm.agentMonitor(scene.place(), "web1") + ",limit=2:power-off"));
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);

            server.child().kill();

            scene.awaitSaid("QEMU is ended");
            assertThat(vm.qemu().child().awaitEnd(Duration.ofSeconds(10))).isTrue();
        }
    }

    @Test
    void shouldKeepAGuestFrozenWhoseDiskAnotherHostHasTaken() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            AgentProcess agent = scene.agent(List.of(setting), List.of("web1"));
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);
            server.child().kill();
            scene.awaitPaused(vm);

            // The other host is first at the server that comes back.
            SystemTool.insist("kill", "-STOP", String.valueOf(agent.child().pid()));
            scene.start(setting);
            try (ForeignHost foreign = ForeignHost.at(setting.iscsiPort(), vm.target())) {
                foreign.takeDisk();
                SystemTool.insist("kill", "-CONT", String.valueOf(agent.child().pid()));
                scene.awaitSaid("it is reserved by iqn.2026-11.io.holdfast.guest:foreign");
                assertThat(vm.resumes())
                        .as("it is not led to a disk of somebody else's")
                        .isZero();
                foreign.giveDiskBack();
            }

            scene.awaitProgress(vm);
            assertThat(vm.pauses()).isEqualTo(1);
            scene.requireUnharmed(vm);
        }
    }

    // ------------------------------------------------------------------ what the administrator wants

    @Test
    void shouldRunTheHookWithTheVmAndTheEventAndFreezeAllTheSame() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            Path said = scene.place().file("hook.said");
            Path hook = Files.writeString(
                    scene.place().file("hook"),
                    "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + said + ".part && mv " + said + ".part " + said + "\n");
            Files.setPosixFilePermissions(hook, PosixFilePermissions.fromString("rwx------"));
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            scene.agent(
                    List.of(setting),
                    Map.of("web1", GuestVm.agentMonitor(scene.place(), "web1") + ",on=server-crash:hook,hook=" + hook));
            Scene.Vm vm = scene.guest("web1");
            scene.awaitWriting(vm);

            server.child().kill();
            scene.awaitPaused(vm);
            scene.await("the hook to be run", Duration.ofSeconds(20), () -> Files.exists(said));
            scene.start(setting);

            assertThat(Files.readAllLines(said))
                    .startsWith("web1", "server-crash")
                    .hasSize(3);
            scene.awaitProgress(vm);
            scene.requireUnharmed(vm);
        }
    }

    @Test
    void shouldHaveTheGuestMakeItsDiskQuietBeforeAPlannedStopAndSetItsClockAfterwards() throws Exception {
        Path archive = LinuxInitiatorIT.imagesOrSkip().guestAgent();
        try (Scene scene = new Scene(work, images.with(archive, work.resolve("with-agent.initrd")))) {
            Path agentPort = scene.place().file("web1.ga");
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            scene.agent(
                    List.of(setting),
                    Map.of(
                            "web1",
                            GuestVm.agentMonitor(scene.place(), "web1") + ",on=server-stop:quiesce,ga=" + agentPort));
            Scene.Vm vm = scene.guest(
                    "web1",
                    DeviceKind.VIRTIO_BLK,
                    "",
                    List.of(
                            "-chardev",
                            "socket,id=ga,path=" + agentPort + ",server=on,wait=off",
                            "-device",
                            "virtserialport,chardev=ga,name=org.qemu.guest_agent.0"));
            scene.awaitWriting(vm);

            long stopNs = System.nanoTime();
            server.child().terminate();
            scene.awaitSaid("file systems made quiet: 1");
            scene.awaitPaused(vm);
            scene.await(
                    "the server to go",
                    Duration.ofSeconds(20),
                    () -> !server.child().alive());
            Patience.letPass(Duration.ofSeconds(3), List.of());
            scene.start(setting);
            scene.awaitProgress(vm);
            scene.awaitSaid("its clock is set");

            // Its clock stood for as long as it did, and was put right in one step.
            scene.await(
                    "the guest's wall clock to be put right",
                    Duration.ofSeconds(20),
                    () -> vm.channel()
                                    .report()
                                    .largestClockSteps(stopNs, System.nanoTime())
                                    .realtimeMicros()
                            > 2_500_000);
            assertThat(vm.pauses()).isEqualTo(1);
            scene.requireUnharmed(vm);
        }
    }

    // ------------------------------------------------------------------ what operators want

    @Test
    void shouldLeaveRunningTheGuestForWhichAnOperatorSaysSo() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            TwoGuests two = TwoGuests.of(scene);
            Scene.Vm left = two.first();
            Scene.Vm frozen = two.second();

            scene.operate(two.setting(), "actions", "set", "web1", "{\"server-crash\":\"leave\"}");
            scene.operate(two.setting(), "actions", "set", "web2", "{\"server-crash\":\"power-off\"}");
            scene.awaitSaid("vm web1: its server's operators want [server-crash=leave]");
            scene.awaitSaid("server-crash=power-off: its agent's settings do not say limit=SECONDS:power-off");
            two.server().child().kill();
            scene.awaitPaused(frozen);
            scene.awaitSaid("it is left running, as its table says");
            scene.start(two.setting());

            scene.awaitProgress(frozen);
            scene.awaitProgress(left);
            assertThat(left.pauses()).isZero();
            assertThat(frozen.pauses()).isEqualTo(1);
            scene.requireUnharmed(left);
            scene.requireUnharmed(frozen);
        }
    }

    // ------------------------------------------------------------------ what the guest wants

    @Test
    void shouldDoWhatTheGuestRegisteredAndGiveItsMemoryBack() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            Path port = scene.place().file("web1.events");
            Path memory = scene.place().file("web1.ram");
            ServerProcess.Setting setting = scene.server("server", scene.image("web1"));
            ServerProcess server = scene.start(setting);
            scene.agent(
                    List.of(setting), Map.of("web1", GuestVm.agentMonitor(scene.place(), "web1") + ",events=" + port));
            Scene.Vm vm = scene.guest(
                    "web1",
                    DeviceKind.VIRTIO_BLK,
                    "",
                    List.of(
                            "-chardev",
                            "socket,id=ev,path=" + port + ",server=on,wait=off",
                            "-device",
                            "virtserialport,chardev=ev,name=io.holdfast.events",
                            "-object",
                            "memory-backend-file,id=ram,size=128M,share=on,mem-path=" + memory,
                            "-machine",
                            "memory-backend=ram",
                            "-append",
                            GuestImages.kernelCommandLine("/dev/vda") + " holdfast.writers=4"
                                    + " holdfast.wish=register,server-crash,reclaim"));
            scene.awaitWriting(vm);
            scene.awaitSaid("its guest wants [server-crash=reclaim]");

            server.child().kill();
            scene.awaitPaused(vm);
            scene.awaitSaid("memory given back");
            System.out.println(scene.lineWith("memory given back"));
            scene.start(setting);

            scene.awaitProgress(vm);
            scene.requireUnharmed(vm);
        }
    }
}
