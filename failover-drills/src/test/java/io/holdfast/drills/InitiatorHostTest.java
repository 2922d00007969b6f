package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server is a script that only has a help text. */
class InitiatorHostTest {
    @TempDir
    private Path folder = Path.of("");

    private final List<Workplace> places = new ArrayList<>();

    @AfterEach
    void close() {
        places.forEach(Workplace::close);
    }

    private InitiatorHost host(String help, List<String> checks)
            throws IOException, DrillFailure, InterruptedException {
        Path program = folder.resolve("holdfast");
        Files.writeString(program, "#!/bin/sh\necho '" + help + "'\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        Workplace place = Workplace.below(folder);
        places.add(place);
        return new InitiatorHost(InitiatorServer.prepare(place, program), List.of(), checks);
    }

    @Test
    void shouldNameTheAbilityThatTheServersHelpDoesNotSpeakOf() throws Exception {
        InitiatorHost host = host("--export PATH[,size=N][,ro]", List.of());

        assertThat(host.answer("offers block")).isEqualTo("no the server has no option for it (block)");
        assertThat(host.answer("exports")).isEqualTo("ok disk scratch paths grow ro");
    }

    @Test
    void shouldExportADiskOfBigBlocksWhenTheServerHasThem() throws Exception {
        InitiatorHost host = host("--export PATH[,size=N][,ro][,block=N]", List.of());

        assertThat(host.answer("offers block")).isEqualTo("ok ");
        assertThat(host.answer("exports")).isEqualTo("ok disk scratch paths grow ro big");
    }

    @Test
    void shouldTellTheGuestWhichChecksToRunAndHowBigADiskIs() throws Exception {
        assertThat(host("", List.of("login", "unmap")).answer("checks")).isEqualTo("ok login unmap");
        assertThat(host("", List.of()).answer("checks")).isEqualTo("ok all");
        assertThat(host("", List.of()).answer("sectors disk")).isEqualTo("ok 524288");
    }

    @Test
    void shouldRefuseARequestItDoesNotKnow() throws Exception {
        InitiatorHost host = host("", List.of());

        assertThat(host.answer("explode")).startsWith("no ");
        assertThat(host.answer("portal x")).startsWith("no ");
        assertThat(host.answer("relay")).startsWith("no ");
        assertThat(host.answer("sectors nowhere")).startsWith("no ");
    }
}
