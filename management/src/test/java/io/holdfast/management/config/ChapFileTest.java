package io.holdfast.management.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The file of CHAP accounts: what it takes, and that no message says what stands in it. */
class ChapFileTest {
    private static final String GOOD = """
            [[account]]
            user = "web1"
            secret = "swordfish-and-chips"
            """;

    @TempDir
    private Path dir;

    private Path file(String text, String permissions) throws IOException {
        Path file = dir.resolve("chap.toml");
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
        return file;
    }

    @Test
    void shouldReadAccounts() throws Exception {
        String mutual = """
                [[account]]
                user = "db"
                secret = "swordfish-and-chips"
                initiator = "IQN.x"
                target-user = "t"
                target-secret = "other-than-the-first"
                """;
        assertThat(ChapFile.read(file(GOOD + mutual, "rw-------"))).isNotNull();
    }

    @ParameterizedTest
    @CsvSource({"rw-r-----", "rw----r--", "rw--w----"})
    void shouldRefuseAFileThatOthersCanRead(String permissions) throws IOException {
        Path open = file(GOOD, permissions);
        assertThatThrownBy(() -> ChapFile.read(open)).hasMessageEndingWith("chmod 600");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "secret = 'swordfish-and-chips' | has no user",
                "user = 'a'; secret = 'swordfish' | secret has 9 bytes, must have 12 to 255",
                "user = 'a'; secret = 123456789012 | secret is not a text in quotes",
                "user = 'a'; secret = 'swordfish-and-chips'; colour = 'red' | there is no 'colour'",
                "user = 'a'; secret = 'swordfish-and-chips | is not TOML",
                "user = 'a'; secret = 'swordfish-and-chips'; target-secret = 'swordfish-and-chips' | one secret for both",
            })
    void shouldSayWhatIsWrongWithoutSayingASecret(String lines, String message) throws IOException {
        Path wrong = file("[[account]]\n" + lines.replace("; ", "\n").replace('\'', '"'), "rw-------");
        assertThatThrownBy(() -> ChapFile.read(wrong))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("swordfish");
    }

    @Test
    void shouldRefuseAFileWithoutAccounts() throws IOException {
        Path empty = file("", "rw-------");
        assertThatThrownBy(() -> ChapFile.read(empty)).hasMessageContaining("nobody could log in");
    }
}
