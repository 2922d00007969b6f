package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.agent.freeze.FreezeRecord;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test plants what is wrong on a machine that is well otherwise. */
class DoctorCommandTest {
    private static final String DRIVE =
            "file=iscsi://127.0.0.1:3270/iqn.2026-11.io.holdfast:web1/0,if=virtio,cache=none,werror=stop,rerror=stop";

    @TempDir
    private Path root;

    private String serverHead = "";
    private String image = "";
    /** Why the agent's server does not serve; empty if it does. */
    private String serverTrouble = "";

    @BeforeEach
    void plantAMachineThatIsWell() throws IOException {
        write("proc/self/limits", """
                Max open files            65536                65536                files
                Max locked memory         67108864             67108864             bytes
                """);
        write("proc/sys/net/ipv4/tcp_syn_linear_timeouts", "100\n");
        write("etc/iscsi/iscsid.conf", "node.session.timeo.replacement_timeout = 600\n");
        Path file = write("srv/web1.img", "\0".repeat(4096));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Path state = Files.createDirectories(root.resolve("state"));
        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwx------"));
        serverHead = "listen = \"127.0.0.1:3260\"\nstate = \"" + state + "\"\n";
        image = "[[export]]\npath = \"" + file + "\"\n";
        write("holdfast.toml", serverHead + image);
        Path monitor = write("run/web1.qmp", "");
        write(
                "agent.toml",
                "server = \"127.0.0.1:3261\"\nstate = \"" + root.resolve("run/holdfast-agent")
                        + "\"\n[[vm]]\nname = \"web1\"\nqmp = \"" + monitor
                        + "\"\nportal = \"127.0.0.1:3270\"\n");
        qemu("-drive", DRIVE);
        write("proc/78/cmdline", "java\0-jar\0/usr/share/holdfast/holdfast.jar\0agent\0");
    }

    private Path write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private void qemu(String... options) throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("/usr/bin/qemu-system-x86_64", "-name", "web1", "-qmp", "unix:/x"));
        arguments.addAll(List.of(options));
        write("proc/77/cmdline", String.join("\0", arguments) + "\0");
    }

    private List<String> problems() throws IOException {
        StringWriter out = new StringWriter();
        int code = doctor(out, "json");
        List<String> problems = new ArrayList<>();
        for (JsonNode finding : new ObjectMapper().readTree(out.toString()).get("findings")) {
            if (!finding.get("level").asText().equals("ok")) {
                assertThat(finding.get("advice").asText()).as("advice").isNotEmpty();
                problems.add(finding.get("check").asText());
            }
        }
        assertThat(code).isEqualTo(problems.isEmpty() ? ExitCode.OK : ExitCode.FAILED);
        return problems;
    }

    private int doctor(StringWriter out, String format) {
        Map<String, List<String>> options = Map.of(
                "--config", List.of(root.resolve("holdfast.toml").toString()),
                "--agent-config", List.of(root.resolve("agent.toml").toString()),
                "--format", List.of(format));
        return new DoctorCommand(root, this::knock)
                .run(new Arguments(options), new PrintWriter(out), new PrintWriter(out));
    }

    private String knock(InetSocketAddress server) throws IOException {
        if (!serverTrouble.isEmpty()) {
            throw new IOException(serverTrouble);
        }
        return "1 logical unit";
    }

    /** What the agent has noted of its VM. */
    private void note(FreezeState state, String reason, int pid) throws IOException {
        try (RecordStore store = RecordStore.open(root.resolve("run/holdfast-agent"))) {
            store.save(new FreezeRecord(
                    "web1",
                    "127.0.0.1:3270",
                    state,
                    reason,
                    0,
                    pid,
                    1,
                    List.of(),
                    List.of(),
                    1,
                    false,
                    List.of("s1"),
                    "",
                    List.of(),
                    Map.of()));
        }
    }

    /** All at once, and nothing else: what one mistake is called does not hide another. */
    @Test
    void shouldFindEachOfTenMistakesOnOneMachine() throws IOException {
        Map<String, String> planted = new LinkedHashMap<>();
        write("proc/sys/kernel/io_uring_disabled", "2\n");
        planted.put("the settings demand io_uring, and the kernel forbids it", "io-uring");
        write("proc/self/limits", "Max open files            1024                 4096                 files\n");
        planted.put("too few files may be open", "limit-nofile");
        write("proc/sys/net/ipv4/tcp_syn_linear_timeouts", "4\n");
        planted.put("TCP waits half a minute between two tries to connect", "syn-back-off");
        write("etc/iscsi/iscsid.conf", "node.session.timeo.replacement_timeout = 15\n");
        planted.put("the kernel's initiator gives up after 15 s", "open-iscsi");
        Files.setPosixFilePermissions(root.resolve("state"), PosixFilePermissions.fromString("rwxr-xr-x"));
        planted.put("everybody reads the server's state", "state");
        Files.setPosixFilePermissions(root.resolve("srv/web1.img"), PosixFilePermissions.fromString("rw-r--r--"));
        planted.put("everybody reads a guest's disk", "image");
        write("holdfast.toml", serverHead + "io = \"ring\"\n" + image);
        qemu(
                "-drive",
                DRIVE.replace(":3270", ":3260")
                        .replace("werror=stop", "werror=report")
                        .replace("none", "unsafe"));
        planted.put("a VM hands errors on to its guest", "vm-werror");
        planted.put("a VM throws its guest's flushes away", "vm-cache");
        planted.put("a VM goes round its agent", "vm-portal");
        Files.delete(root.resolve("run/web1.qmp"));
        planted.put("the agent has no monitor to talk to", "vm-qmp");

        assertThat(planted).hasSize(10);
        assertThat(problems()).containsExactlyInAnyOrderElementsOf(planted.values());
    }

    @Test
    void shouldFindAServerThatIsAway() throws IOException {
        serverTrouble = "no answer within 3.0 s";
        assertThat(problems()).containsExactly("server");
        StringWriter out = new StringWriter();
        doctor(out, "text");
        assertThat(out.toString())
                .contains("the server at 127.0.0.1:3261 is away: no answer within 3.0 s")
                .contains("systemctl status holdfast");
    }

    @Test
    void shouldFindAVmThatIsFrozen() throws IOException {
        note(FreezeState.FROZEN, "the server s1 is lost", 77);
        assertThat(problems()).containsExactly("vm-frozen");
        StringWriter out = new StringWriter();
        doctor(out, "text");
        assertThat(out.toString()).contains("vm web1 is frozen since ").contains("the server s1 is lost");
    }

    @Test
    void shouldNotTakeWhatWasNotedOfAnEarlierLifeOfAVm() throws IOException {
        note(FreezeState.FROZEN, "the server s1 is lost", 4711);
        assertThat(problems()).as("its QEMU has ended").isEmpty();
        note(FreezeState.RUNNING, "resumed", 77);
        assertThat(problems()).as("it runs").isEmpty();
    }

    @Test
    void shouldFindThatNoAgentRuns() throws IOException {
        Files.delete(root.resolve("proc/78/cmdline"));
        assertThat(problems()).containsExactly("agent");
    }

    @Test
    void shouldJudgeTheLimitsOfTheServerThatRunsAndNotOfTheShell() throws IOException {
        write("proc/self/limits", "Max open files            1024                 4096                 files\n");
        write("usr/lib/systemd/system/holdfast.service", "");
        assertThat(problems()).as("its unit says how many").isEmpty();
        write("proc/79/cmdline", "java\0-jar\0/usr/share/holdfast/holdfast.jar\0serve\0");
        write("proc/79/limits", "Max open files            65536                65536                files\n");
        assertThat(problems()).isEmpty();
        write("proc/79/limits", "Max open files            512                  512                  files\n");
        assertThat(problems()).containsExactly("limit-nofile");
    }

    @Test
    void shouldFindNothingOnAMachineThatIsWell() throws IOException {
        assertThat(problems()).isEmpty();
    }

    @Test
    void shouldPrintForPeopleToo() throws IOException {
        qemu("-drive", DRIVE.replace("werror=stop", "werror=report"));
        StringWriter out = new StringWriter();
        assertThat(doctor(out, "text")).isEqualTo(ExitCode.FAILED);
        assertThat(out.toString())
                .contains("FAIL  vm-werror")
                .contains("werror=report")
                .contains("→ start it with werror=stop,rerror=stop")
                .contains("1 of ");
    }

    @Test
    void shouldFindTooFewOpenFiles() throws IOException {
        write("proc/self/limits", "Max open files            1024                 4096                 files\n");
        assertThat(problems()).containsExactly("limit-nofile");
    }

    @Test
    void shouldFindARingThatCannotBe() throws IOException {
        write("proc/sys/kernel/io_uring_disabled", "2\n");
        assertThat(problems()).as("nobody asked for it").isEmpty();
        write("holdfast.toml", serverHead + "io = \"ring\"\n" + image);
        assertThat(problems()).containsExactly("io-uring");
    }

    @Test
    void shouldFindTheBackOffOfTcp() throws IOException {
        write("proc/sys/net/ipv4/tcp_syn_linear_timeouts", "4\n");
        assertThat(problems()).containsExactly("syn-back-off");
    }

    @Test
    void shouldFindAnImpatientKernelInitiator() throws IOException {
        write("etc/iscsi/iscsid.conf", "# x\nnode.session.timeo.replacement_timeout = 15\n");
        assertThat(problems()).containsExactly("open-iscsi");
    }

    @Test
    void shouldFindAPortThatAnotherProgramHas() throws IOException {
        write("proc/net/tcp", """
                  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
                   0: 0100007F:0CBC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
                """);
        write("proc/88/cmdline", "/usr/sbin/tgtd\0-f\0");
        Files.createDirectories(root.resolve("proc/88/fd"));
        Files.createSymbolicLink(root.resolve("proc/88/fd/5"), Path.of("socket:[4711]"));
        assertThat(problems()).containsExactly("port");
        write("proc/88/cmdline", "java\0-jar\0/usr/share/holdfast/holdfast.jar\0serve\0");
        assertThat(problems()).as("our own server").isEmpty();
    }

    @Test
    void shouldFindAStateDirectoryThatEverybodyReads() throws IOException {
        Files.setPosixFilePermissions(root.resolve("state"), PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(problems()).containsExactly("state");
    }

    @Test
    void shouldFindAnImageThatEverybodyReads() throws IOException {
        Files.setPosixFilePermissions(root.resolve("srv/web1.img"), PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(problems()).containsExactly("image");
    }

    @Test
    void shouldFindAnImageThatIsNotThere() throws IOException {
        Files.delete(root.resolve("srv/web1.img"));
        assertThat(problems()).containsExactly("image");
    }

    @Test
    void shouldFindSettingsThatAreWrong() throws IOException {
        write("holdfast.toml", "lisen = \"127.0.0.1:3260\"\n");
        assertThat(problems()).containsExactly("settings");
    }

    @Test
    void shouldFindSecretsThatEverybodyReads() throws IOException {
        Path chap = write("chap.toml", "[[account]]\nuser = \"a\"\nsecret = \"0123456789ab\"\n");
        Files.setPosixFilePermissions(chap, PosixFilePermissions.fromString("rw-r--r--"));
        write("holdfast.toml", serverHead + "chap-file = \"" + chap + "\"\n" + image);
        assertThat(problems()).containsExactly("settings");
    }

    @Test
    void shouldFindAVmThatReportsErrorsToItsGuest() throws IOException {
        qemu("-drive", DRIVE.replace(",werror=stop,rerror=stop", ""));
        assertThat(problems()).containsExactly("vm-werror", "vm-rerror");
    }

    @Test
    void shouldFindAVmThatCannotPark() throws IOException {
        qemu(
                "-drive",
                "file=iscsi://127.0.0.1:3270/iqn.2026-11.io.holdfast:web1/0,if=none,id=d0,cache=none",
                "-device",
                "scsi-block,drive=d0");
        assertThat(problems()).containsExactly("vm-device");
    }

    @Test
    void shouldFindAVmThatThrowsFlushesAway() throws IOException {
        qemu("-drive", DRIVE.replace("cache=none", "cache=unsafe"));
        assertThat(problems()).containsExactly("vm-cache");
    }

    @Test
    void shouldFindAVmThatGoesRoundItsAgent() throws IOException {
        qemu("-drive", DRIVE.replace(":3270", ":3260"));
        assertThat(problems()).containsExactly("vm-portal");
    }

    @Test
    void shouldReadWhatLibvirtWrites() throws IOException {
        String[] layers = {
            "-blockdev",
            "driver=iscsi,portal=127.0.0.1:3270,target=iqn.2026-11.io.holdfast:web1,lun=0,transport=tcp,node-name=s0,"
                    + "cache.direct=on,cache.no-flush=off",
            "-blockdev",
            "node-name=f0,driver=raw,file=s0",
            "-device",
            "virtio-blk-pci,drive=f0,id=v0,werror=stop,rerror=stop"
        };
        qemu(layers);
        assertThat(problems()).isEmpty();
        layers[5] = "virtio-blk-pci,drive=f0,id=v0";
        qemu(layers);
        assertThat(problems()).containsExactly("vm-werror", "vm-rerror");
    }

    @Test
    void shouldReadTheJsonThatLibvirtWrites() throws IOException {
        String[] layers = {
            "-blockdev",
            "{\"driver\":\"iscsi\",\"portal\":\"127.0.0.1:3270\",\"target\":\"iqn.2026-11.io.holdfast:web1\",\"lun\":0,"
                    + "\"transport\":\"tcp\",\"node-name\":\"libvirt-1-storage\","
                    + "\"cache\":{\"direct\":true,\"no-flush\":false},\"auto-read-only\":true}",
            "-blockdev",
            "{\"node-name\":\"libvirt-1-format\",\"driver\":\"raw\",\"file\":\"libvirt-1-storage\"}",
            "-device",
            "{\"driver\":\"virtio-blk-pci\",\"drive\":\"libvirt-1-format\",\"werror\":\"stop\",\"rerror\":\"stop\"}"
        };
        qemu(layers);
        assertThat(problems()).isEmpty();
        layers[5] = "{\"driver\":\"scsi-block\",\"drive\":\"libvirt-1-format\"}";
        layers[1] = layers[1].replace("\"no-flush\":false", "\"no-flush\":true").replace(":3270", ":3260");
        qemu(layers);
        assertThat(problems()).containsExactly("vm-device", "vm-cache", "vm-portal");
    }

    @Test
    void shouldFindAVmWhoseOnlyMonitorIsLibvirts() throws IOException {
        String libvirts = "qemu-system-x86_64\0-chardev\0socket,id=charmonitor,fd=24,server=on,wait=off\0"
                + "-mon\0chardev=charmonitor,id=monitor,mode=control\0-drive\0" + DRIVE + "\0";
        write("proc/77/cmdline", libvirts);
        assertThat(problems()).containsExactly("vm-monitor");
        write("proc/77/cmdline", libvirts + "-qmp\0unix:/run/web1.qmp,server=on,wait=off\0");
        assertThat(problems()).isEmpty();
    }

    @Test
    void shouldFindAVmWithoutAMonitor() throws IOException {
        write("proc/77/cmdline", "qemu-system-x86_64\0-drive\0" + DRIVE + "\0");
        assertThat(problems()).containsExactly("vm-monitor");
    }

    @Test
    void shouldFindThatTheAgentHasNoVmToTalkTo() throws IOException {
        Files.delete(root.resolve("run/web1.qmp"));
        assertThat(problems()).containsExactly("vm-qmp");
    }
}
