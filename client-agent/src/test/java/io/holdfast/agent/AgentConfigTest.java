package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.net.Addresses;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentConfigTest {

    @Test
    void shouldReadAVmWithAllItsOptions() throws AgentConfigException {
        VmConfig vm = VmConfig.parse("web1=/run/web1.qmp,portal=127.0.0.1:4000,relay=on");

        assertThat(vm.name()).isEqualTo("web1");
        assertThat(vm.qmpSocket()).isEqualTo(Path.of("/run/web1.qmp"));
        assertThat(vm.portal().orElseThrow().getPort()).isEqualTo(4000);
        assertThat(vm.relay()).isEqualTo(VmConfig.RelayMode.ON);
    }

    @Test
    void shouldReadAVmWithoutOptions() throws AgentConfigException {
        VmConfig vm = VmConfig.parse("web1=/run/web1.qmp");

        assertThat(vm.portal()).isEmpty();
        assertThat(vm.relay()).isEqualTo(VmConfig.RelayMode.AUTO);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "web1                      | VM 'web1': expected NAME=QMP_PATH",
                "we/b=/run/q               | VM name 'we/b'",
                "=/run/q                   | VM name ''",
                "web1=                     | the path of its QMP socket is missing",
                "web1=/q,relay=maybe       | relay=maybe: auto, on and off are allowed",
                "web1=/q,colour=blue       | unknown option 'colour=blue'",
                "web1=/q,colour            | unknown option 'colour'",
                "web1=/q,priority=-1       | priority=-1: a number from 0 to 1000",
                "web1=/q,on=storage-full   | on=storage-full: EVENT:ACTION is allowed",
                "web1=/q,on=Full:leave     | on=Full:leave: EVENT:ACTION is allowed",
                "web1=/q,on=storage-ful:leave | there is no event 'storage-ful'; events are server-crash,",
                "web1=/q,on=x-:leave       | there is no event 'x-'",
                "web1=/q,limit=x           | limit=x: a number from 0",
                "web1=/q,limit=9:explode   | limit=9:explode: alert, power-off and hook",
                "web1=/q,portal=3270       | portal of VM web1 '3270' is not ADDRESS:PORT",
                "web1=/q,portal=a:99999    | port '99999' is not in 0..65535",
            })
    void shouldNameTheValueThatIsWrong(String text, String message) {
        assertThatThrownBy(() -> VmConfig.parse(text))
                .isInstanceOf(AgentConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void shouldReadAnIpv6Address() throws AgentConfigException {
        assertThat(Addresses.print(AgentConfig.server("--server", "[::1]:3261")))
                .isEqualTo("[::1]:3261");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a=/q1;a=/q2                                       | VM name 'a' is given twice",
                "a=/q1;b=/q1                                       | the QMP socket /q1 is given to another VM",
                "a=/q1,portal=127.0.0.1:5;b=/q2,portal=127.0.0.1:5 | the portal 127.0.0.1:5 is given to another VM",
            })
    void shouldRefuseVmsThatShareWhatMustBeTheirOwn(String texts, String message) throws AgentConfigException {
        List<VmConfig> vms = new java.util.ArrayList<>();
        for (String text : texts.split(";", -1)) {
            vms.add(VmConfig.parse(text));
        }
        AgentConfig config = AgentConfig.of(AgentConfig.server("s", "127.0.0.1:1"), vms, Path.of("x"));

        assertThatThrownBy(config::check).hasMessageContaining(message);
    }

    @Test
    void shouldRefuseToLookAfterNothing() throws AgentConfigException {
        AgentConfig config = AgentConfig.of(AgentConfig.server("s", "127.0.0.1:1"), List.of(), Path.of("x"));

        assertThatThrownBy(config::check).hasMessageContaining("no VM is given");
    }
}
