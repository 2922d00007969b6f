package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another machine, as a network namespace behind a pair of virtual Ethernet devices, that can be cut off. Needs root. */
final class SilentHost implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 20;

    private final String name = "hf" + ProcessHandle.current().pid();
    private final String hostAddress;

    SilentHost() throws IOException {
        int net = (int) (ProcessHandle.current().pid() % 250) + 2;
        hostAddress = "10.251." + net + ".1";
        ip("netns", "add", name);
        try {
            ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
            ip("addr", "add", hostAddress + "/24", "dev", name);
            ip("link", "set", name, "up");
            ip("-n", name, "addr", "add", "10.251." + net + ".2/24", "dev", "eth0");
            ip("-n", name, "link", "set", "eth0", "up");
        } catch (IOException | AssertionError e) {
            close();
            throw e;
        }
    }

    /** This machine's address, as the other sees it. */
    String hostAddress() {
        return hostAddress;
    }

    Process start(String... command) throws IOException {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(Arrays.asList(command));
        return new ProcessBuilder(all)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** From now on every packet in both directions is lost, and nobody is told. */
    void fallSilent() throws IOException {
        ip("-n", name, "link", "set", "eth0", "down");
    }

    private static void ip(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of("ip"));
        all.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertThat(process.exitValue()).as("%s: %s", all, said).isZero();
    }

    @Override
    public void close() throws IOException {
        // The devices go with the namespace.
        ip("netns", "del", name);
    }
}
