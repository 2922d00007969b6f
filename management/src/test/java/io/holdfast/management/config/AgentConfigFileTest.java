package io.holdfast.management.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentConfigFileTest {
    @TempDir
    private Path dir;

    private Path file(String text) throws IOException {
        return Files.writeString(dir.resolve("agent.toml"), text);
    }

    @Test
    void shouldReadTheServerAndTheVms() throws IOException, ConfigException {
        AgentConfigFile read = AgentConfigFile.read(file("""
                server = "192.0.2.10:3261"
                [[vm]]
                name = "web1"
                qmp = "/run/web1.qmp"
                portal = "127.0.0.1:3280"
                [[vm]]
                name = "db1"
                qmp = "/run/db1.qmp"
                """));
        assertThat(read.value("server")).contains("192.0.2.10:3261");
        assertThat(read.value("state")).isEmpty();
        assertThat(read.vms()).containsExactly("web1=/run/web1.qmp,portal=127.0.0.1:3280", "db1=/run/db1.qmp");
    }

    @Test
    void shouldSayAllThatTheCommandLineCan() throws IOException, ConfigException {
        AgentConfigFile read = AgentConfigFile.read(file("""
                server = ["192.0.2.10:3261", "192.0.2.11:3261"]
                reports = "/var/log/holdfast-agent"
                read-every = 1000
                [[vm]]
                name = "web1"
                qmp = "/run/web1.qmp"
                priority = 10
                limit = "600:power-off"
                on = ["storage-full:leave", "server-crash:reclaim"]
                """));
        assertThat(read.all("server")).containsExactly("192.0.2.10:3261", "192.0.2.11:3261");
        assertThat(read.value("reports")).contains("/var/log/holdfast-agent");
        assertThat(read.value("read-every")).contains("1000");
        assertThat(read.vms())
                .singleElement()
                .asString()
                .satisfies(vm -> assertThat(vm.split(","))
                        .startsWith("web1=/run/web1.qmp")
                        .containsExactlyInAnyOrder(
                                "web1=/run/web1.qmp",
                                "priority=10",
                                "limit=600:power-off",
                                "on=storage-full:leave",
                                "on=server-crash:reclaim"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sever = 'x' | line 1: no setting 'sever'; there are server, state, reports, read-every, chap-file, and [[vm]]",
                "server = 3261 | line 1: server = 3261 is not a text in quotes",
                "server = [3261] | line 1: server = 3261 is not a text in quotes",
                "state = ['a', 'b'] | line 1: state = a list is not a text in quotes",
                "chap-file = {a = 1} | line 1: chap-file = a table is not a text in quotes",
                "vm = 'web1' | line 1: write each VM as [[vm]] with the lines name = \"…\" and qmp = \"…\"",
            })
    void shouldNameWhatIsWrongAndWhere(String text, String message) throws IOException {
        Path file = file(text.strip().replace('\'', '"') + "\n");
        assertThatThrownBy(() -> AgentConfigFile.read(file)).hasMessage(file + ", " + message.strip());
    }

    @Test
    void shouldMissAQmpSocketAndRefuseCommas() throws IOException {
        Path file = file("[[vm]]\nname = \"web1\"\n");
        assertThatThrownBy(() -> AgentConfigFile.read(file)).hasMessage(file + ", line 1: a VM has no qmp");
        Path comma = file("[[vm]]\nname = \"web1\"\nqmp = \"/run/a,b\"\n");
        assertThatThrownBy(() -> AgentConfigFile.read(comma))
                .hasMessage(comma + ", line 3: qmp = \"/run/a,b\" has a comma, which it must not");
    }
}
