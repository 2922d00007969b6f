package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The units as systemd's own tools see them. */
class UnitFilesTest {
    private static final Path UNITS = Path.of("../packaging/systemd").toAbsolutePath();
    private static final Pattern EXPOSURE = Pattern.compile("Overall exposure level for \\S+: ([0-9.]+)");

    @TempDir
    private Path dir;

    @Test
    void shouldBeUnderstoodBySystemd() throws Exception {
        Tool.assumeInstalled("systemd-analyze", "systemd");
        // It looks for the program that is to be started.
        Path program = Files.createFile(dir.resolve("holdfast"));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> command = new java.util.ArrayList<>(List.of("systemd-analyze", "verify", "--man=no"));
        try (Stream<Path> units = Files.list(UNITS)) {
            for (Path unit : (Iterable<Path>) units.sorted()::iterator) {
                String text = Files.readString(unit).replace("/usr/bin/holdfast", program.toString());
                command.add(
                        Files.writeString(dir.resolve(unit.getFileName()), text).toString());
            }
        }
        Tool verify = Tool.run(java.time.Duration.ofSeconds(60), command);
        assertThat(verify.output()).isEmpty();
        assertThat(verify.exitCode()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"holdfast.service, 2.0", "holdfast-agent.service, 3.0"})
    void shouldBeConfined(String unit, double limit) throws Exception {
        Tool.assumeInstalled("systemd-analyze", "systemd");
        Tool security = Tool.run(
                "systemd-analyze",
                "security",
                "--offline=true",
                "--no-pager",
                UNITS.resolve(unit).toString());
        Matcher exposure = EXPOSURE.matcher(security.output());
        assertThat(exposure.find()).as(security.output()).isTrue();
        assertThat(Double.parseDouble(exposure.group(1))).isLessThan(limit);
    }

    @Test
    void shouldListenWhereThePackagedSettingsSay() throws IOException {
        String server = Files.readString(Path.of("../packaging/etc/holdfast.toml"));
        String sockets = Files.readString(UNITS.resolve("holdfast.socket"));
        for (String setting : List.of("listen", "control")) {
            Matcher address =
                    Pattern.compile("(?m)^" + setting + " = \"(.*)\"$").matcher(server);
            assertThat(address.find()).isTrue();
            assertThat(sockets).contains("ListenStream=" + address.group(1) + "\n");
        }
    }
}
