package io.holdfast.management.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServeConfigFileTest {
    @TempDir
    private Path dir;

    private Path write(String toml) throws IOException {
        return Files.writeString(dir.resolve("holdfast.toml"), toml);
    }

    @Test
    void shouldReadEverySetting() throws Exception {
        ServeConfigFile read = ServeConfigFile.read(write("""
                listen = ["127.0.0.1:3260", "[::1]:3261"]
                control = "127.0.0.1:9000"
                state = "/var/lib/holdfast"
                name-prefix = "iqn.2001-04.com.example:storage"
                io = "portable"
                event-loops = 2
                io-threads = 3
                stop-limit = 30

                [[export]]
                path = "/srv/a.img"
                size = "10G"

                [[export]]
                path = "/srv/b.img"
                name = "second"
                ro = true
                """));
        ServeConfig config = ServeConfig.of(read.values(), read.exports());
        assertThat(config.portals()).hasSize(2);
        assertThat(config.control().getPort()).isEqualTo(9000);
        assertThat(config.state()).isEqualTo(Optional.of(Path.of("/var/lib/holdfast")));
        assertThat(config.namePrefix()).isEqualTo("iqn.2001-04.com.example:storage");
        assertThat(config.io()).isEqualTo("portable");
        assertThat(config.eventLoops()).isEqualTo(2);
        assertThat(config.ioThreads()).isEqualTo(3);
        assertThat(config.stopLimit()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.exports()).extracting(Export::name).containsExactly("a", "second");
        assertThat(config.exports()).extracting(Export::readOnly).containsExactly(false, true);
        assertThat(config.exports().get(0).sizeBytes()).hasValue(10L << 30);
    }

    @Test
    void shouldTakeOnePortalAsATextAndSizesAsNumbers() throws Exception {
        ServeConfigFile read = ServeConfigFile.read(
                write("listen = \"127.0.0.1:1\"\nexport = [{path = \"x.img\", size = 1048576, ro = false}]"));
        assertThat(read.values()).containsEntry(ServeSetting.LISTEN, List.of("127.0.0.1:1"));
        assertThat(read.exports().get(0).sizeBytes()).hasValue(1048576);
    }

    @Test
    void shouldSayWhichSettingsAndAttributesThereAre() throws IOException {
        String settings =
                Stream.of(ServeSetting.values()).map(ServeSetting::key).collect(Collectors.joining(", "));
        String attributes =
                Stream.of(ExportAttribute.values()).map(ExportAttribute::key).collect(Collectors.joining(", "));

        assertThatThrownBy(() -> ServeConfigFile.read(write("colour = 3")))
                .hasMessageEndingWith("line 1: no setting 'colour'; there are " + settings + ", and [[export]]");
        assertThatThrownBy(() -> ServeConfigFile.read(write("export = [{path = \"a\", speed = 1}]")))
                .hasMessageEndingWith("line 1: an export has no 'speed'; there are path, " + attributes);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "listen = 3260|, line 2: listen = 3260 is not a text in quotes",
                "listen = []|, line 2: listen is empty",
                "listen = \"3260\"|, line 2: listen '3260' is not ADDRESS:PORT, such as 127.0.0.1:3260 or [::1]:3260",
                "control = \"127.0.0.1:70000\"|, line 2: control '127.0.0.1:70000': port '70000' is not in 0..65535",
                "event-loops = \"two\"|, line 2: event-loops = two is not a number",
                "event-loops = 65|, line 2: event-loops '65' is not a number in 0..64",
                "io-threads = 0|, line 2: io-threads '0' is not a number in 1..64",
                "stop-limit = 1.5|, line 2: stop-limit = 1.5 is not a number",
                "io = \"fast\"|, line 2: io 'fast' is not one of auto, ring, portable",
                "state = \"\"|, line 2: state is empty; name a directory, or leave it out",
                "name-prefix = \"disk\"|, line 2: name-prefix 'disk' is not an iSCSI name in lower case, such as"
                        + " iqn.2026-11.io.holdfast",
                "export = \"a.img\"|, line 2: write each export as [[export]] with a line path = \"…\"",
                "export = [{size = \"1G\"}]|, line 2: an export has no path",
                "export = [{path = 5}]|, line 2: path = 5 is not a text in quotes",
                "export = [{path = \"a\", ro = \"yes\"}]|, line 2: ro = yes is not true or false, without quotes",
                "export = [{path = \"a\", size = true}]|, line 2: size = true is not a text in quotes or a number",
                "export = [{path = \"a\", size = \"huge\"}]|, line 2: size 'huge' is not a number of bytes, such as 1048576,"
                        + " 64M or 2G",
                "export = [{path = \"a\", name = \"A B\"}]|, line 2: export name 'A B' is not 1 to 100 of a-z, 0-9, '.', ':'"
                        + " and '-', the first a letter or digit",
            })
    void shouldSayFileLineAndWhatIsAllowed(String line, String message) throws IOException {
        Path file = write("# first line\n" + line + "\n");
        assertThatThrownBy(() -> ServeConfigFile.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + message);
    }

    @ParameterizedTest
    @CsvSource({"listen = ", "[[export", "listen = \"a\" \"b\"", "io = 'x", "= 5"})
    void shouldSayInOneLineWhereTheSyntaxIsWrong(String line) throws IOException {
        Path file = write("# first line\n" + line + "\n");
        assertThatThrownBy(() -> ServeConfigFile.read(file))
                .isInstanceOf(ConfigException.class)
                .message()
                .startsWith(file + ", line ")
                .doesNotContain("\n");
    }

    @Test
    void shouldSayInOneLineThatTheParserGotLost() throws IOException {
        Path file = write("export = [{path  \".x=img\",#\u0001\u0000\u0010\u0000\u0000true}]");

        assertThatThrownBy(() -> ServeConfigFile.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + " is not TOML; look for a list, a table or a text in quotes that does not end");
    }

    @Test
    void shouldSayWhatIsWrongWithTheFileItself() throws IOException {
        assertThatThrownBy(() -> ServeConfigFile.read(dir.resolve("nothing.toml")))
                .hasMessage("configuration file " + dir.resolve("nothing.toml") + " cannot be read: no such file");
        assertThatThrownBy(() -> ServeConfigFile.read(dir))
                .hasMessage("configuration file " + dir + " cannot be read: Is a directory");
        Path binary = Files.write(dir.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThatThrownBy(() -> ServeConfigFile.read(binary))
                .hasMessage("configuration file " + binary + " is not text in UTF-8");
        Path huge = Files.write(dir.resolve("huge"), new byte[(1 << 20) + 1]);
        assertThatThrownBy(() -> ServeConfigFile.read(huge)).hasMessageContaining("the limit is 1048576");
    }
}
