package io.holdfast.management.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;

/** Any bytes as a configuration file, as a file of accounts and as an export: taken, or refused in one line. */
class ConfigurationFuzz {
    private static Path file = Path.of("");

    @BeforeAll
    static void makeFile() throws IOException {
        Path memory = Path.of("/dev/shm");
        Path dir = Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir"));
        file = Files.createTempFile(
                dir,
                "holdfast-fuzz",
                ".toml",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    @AfterAll
    static void removeFile() throws IOException {
        Files.deleteIfExists(file);
    }

    static Stream<byte[]> seeds() {
        return Stream.of(
                        """
                        listen = ["127.0.0.1:3260", "[::1]:3261,group=2"]
                        control = "127.0.0.1:9000"
                        state = "/var/lib/holdfast"
                        name-prefix = "iqn.2001-04.com.example:storage"
                        io = "portable"
                        event-loops = 2
                        memory = "1G"
                        [[export]]
                        path = "/srv/a.img"
                        size = "10G"
                        cache = "writethrough"
                        """,
                        "export = [{path = \"x.img\", size = 1048576, ro = false, direct = true}]",
                        "[[account]]\nuser = \"web1\"\nsecret = \"at least 12 bytes\"\ninitiator = \"iqn.x\"\n"
                                + "target-user = \"t\"\ntarget-secret = \"another 12 bytes\"",
                        "/srv/disk,,1.img,size=10G,ro,name=a.b-c:d",
                        "keep-alive = 9223372036854775808",
                        "[[account]]#user = \"web1\"\nsecret = \"at least 12 bytes\"",
                        "\"\" = 1\n\"a.b\" = [1, \"x\", {}]\n[export]\n")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @FuzzTest
    void shouldTakeOrRefuseAnyConfiguration(byte[] input) throws IOException {
        Files.write(file, input);
        judge(() -> {
            ServeConfigFile read = ServeConfigFile.read(file);
            ServeConfig.of(read.values(), read.exports());
        });
        judge(() -> ChapFile.read(file));
        judge(() -> Export.parse(new String(input, StandardCharsets.UTF_8)));
    }

    private interface Attempt {
        void run() throws ConfigException;
    }

    private static void judge(Attempt attempt) {
        try {
            attempt.run();
        } catch (ConfigException e) {
            assertThat(e.getMessage()).isNotBlank().doesNotContain("\n", "\r", "\u001b");
        }
    }
}
