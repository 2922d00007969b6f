package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.Denial;
import io.holdfast.npiv.LoginDecision;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two containers on one host, each in a network namespace of its own, with private ports and LUs. Needs root. */
@Timeout(120)
class ContainerPortsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Path HELPER = Path.of(System.getProperty("holdfast.checkout", ".."), "scripts/holdfast-port")
            .toAbsolutePath()
            .normalize();
    private static final String NET = "10.253.";
    private static final AtomicInteger TESTS = new AtomicInteger();

    @TempDir
    Path dir;

    /** Names of interfaces are short, and belong to the whole host. */
    private final String id = ProcessHandle.current().pid() % 10_000 + "t" + TESTS.incrementAndGet();

    private final List<String> links = new ArrayList<>();
    private final List<String> namespaces = new ArrayList<>();
    private @Nullable ClientServer started;

    @BeforeEach
    void makeContainers() throws Exception {
        Tool.assumeInstalled("ip", "iproute2");
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        boolean may = Tool.run("ip", "netns", "add", "hfa" + id).exitCode() == 0;
        Tool.assume(may, "no network namespace can be made; root is needed");
        namespaces.add("hfa" + id);
        connect("hfa" + id, 1);
        Tool.run("ip", "netns", "add", "hfb" + id).succeeded();
        namespaces.add("hfb" + id);
        connect("hfb" + id, 2);
        // Reached at one address from both.
        started = new ClientServer(dir, NET + "1.1");
    }

    /** Container N has the address 10.253.N.2, and the host 10.253.N.1 towards it. */
    private void connect(String namespace, int number) throws Exception {
        String here = "hf" + number + "h" + id;
        String there = "hf" + number + "c" + id;
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace);
        links.add(here);
        ip("addr", "add", NET + number + ".1/24", "dev", here);
        ip("link", "set", here, "up");
        ip("-n", namespace, "addr", "add", NET + number + ".2/24", "dev", there);
        ip("-n", namespace, "link", "set", there, "up");
        ip("-n", namespace, "route", "add", "default", "via", NET + number + ".1");
    }

    private static void ip(String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(Arrays.asList(words));
        assertThat(Tool.run(PATIENCE, command)).extracting(Tool::exitCode).isEqualTo(0);
    }

    @AfterEach
    void removeContainers() throws Exception {
        if (started != null) {
            started.close();
        }
        // First the links: the kernel removes those of a namespace later, and with them addresses that the next test
        // needs.
        for (String link : links) {
            Tool.run("ip", "link", "del", link);
        }
        for (String namespace : namespaces) {
            Tool.run("ip", "netns", "del", namespace);
        }
    }

    private ClientServer server() {
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        return started;
    }

    /** Runs a program inside a container. */
    private Tool in(int container, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", namespaces.get(container)));
        command.addAll(Arrays.asList(words));
        return Tool.run(PATIENCE, command);
    }

    private ClientAdapter container(String name) throws IOException {
        ClientAdapter client = server().client(name);
        server().addLu(client, "disk-" + name);
        return client;
    }

    @Test
    void shouldGiveEachContainerItsOwnUnitsAndNothingOfTheOther() throws Exception {
        ClientAdapter one = container("one");
        ClientAdapter two = container("two");
        String nameOne = one.activeName().naaName();
        String nameTwo = two.activeName().naaName();

        assertThat(in(0, HELPER.toString(), "list", nameOne, server().portal())
                        .output()
                        .lines())
                .containsExactly(server().target(one) + " 0");
        assertThat(in(1, HELPER.toString(), "list", nameTwo, server().portal())
                        .output()
                        .lines())
                .containsExactly(server().target(two) + " 0");
        in(0, qemuIo(one, "write -P 1 0 64k")).succeeded();
        in(1, qemuIo(two, "write -P 2 0 64k")).succeeded();
        in(0, qemuIo(one, "read -P 1 0 64k")).succeeded();
        in(1, qemuIo(two, "read -P 2 0 64k")).succeeded();
    }

    private String[] qemuIo(ClientAdapter client, String command) {
        return new String[] {
            "qemu-io",
            "--image-opts",
            "-t",
            "none",
            "-c",
            command,
            server().imageOptions(client.activeName(), client, 0)
        };
    }

    @Test
    void shouldRefuseAContainerThatTakesTheNameOfOneThatIsLoggedIn() throws Exception {
        ClientAdapter one = container("one");
        Process holder = new ProcessBuilder(
                        "ip",
                        "netns",
                        "exec",
                        namespaces.get(0),
                        "qemu-io",
                        "--image-opts",
                        server().imageOptions(one.activeName(), one, 0))
                .redirectErrorStream(true)
                .start();
        try {
            BufferedWriter in = holder.outputWriter();
            in.write("read 0 512\n");
            in.flush();
            assertThat(holder.inputReader().readLine()).contains("read 512/512");

            assertThat(in(1, qemuIo(one, "read 0 512")).output()).contains("Target not found");
            assertThat(server().refused())
                    .extracting(LoginDecision.Denied::reason)
                    .containsOnly(Denial.LOGGED_IN_ELSEWHERE);
            in(0, qemuIo(one, "read 0 512")).succeeded();
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    @Test
    void shouldSayWhatIsWrongWithAName() throws Exception {
        Tool shortName = in(0, HELPER.toString(), "list", "naa.c050", server().portal());
        assertThat(shortName.exitCode()).isEqualTo(2);
        assertThat(shortName.output()).contains("name 'naa.c050' has 4 digits, must have 16");
        Tool stranger = in(0, HELPER.toString(), "list", "naa.3000000000000001", server().portal());
        assertThat(stranger.exitCode()).isEqualTo(1);
        assertThat(stranger.output()).contains("shows naa.3000000000000001 no logical unit");
        assertThat(Files.isExecutable(HELPER)).isTrue();
    }
}
