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
    private static final ChapSecrets SECRETS = new ChapSecrets("me", "my-secret-123", "you", "your-secret-456");

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
        InitiatorServer server = InitiatorServer.prepare(place, program);
        return new InitiatorHost(server, server.guarded(SECRETS), SECRETS, List.of(), checks);
    }

    @Test
    void shouldNameTheAbilityThatTheServersHelpDoesNotSpeakOf() throws Exception {
        InitiatorHost host = host("--export PATH[,size=N][,ro]", List.of());

        assertThat(host.answer("offers block")).isEqualTo("no the server has no option for it (block)");
        assertThat(host.answer("exports")).isEqualTo("ok disk scratch paths grow ro removable");
    }

    @Test
    void shouldExportADiskOfBigBlocksWhenTheServerHasThem() throws Exception {
        InitiatorHost host = host("--export PATH[,size=N][,ro][,cache=MODE][,block-size=N]", List.of());

        assertThat(host.answer("offers block")).isEqualTo("ok ");
        assertThat(host.answer("exports")).isEqualTo("ok disk scratch paths grow ro through big removable");
    }

    @Test
    void shouldTellTheGuestTheSecretsOfTheServerThatAsksForChap() throws Exception {
        InitiatorHost host = host("--chap-file FILE", List.of());

        assertThat(host.answer("offers chap")).isEqualTo("ok ");
        assertThat(host.answer("portal chap")).matches("ok [0-9]+");
        assertThat(host.answer("secret password")).isEqualTo("ok my-secret-123");
        assertThat(host.answer("exports")).isEqualTo("ok disk scratch paths grow ro removable");
    }

    @Test
    void shouldHaveNoPortalWithChapWhenTheServerDoesNotKnowIt() throws Exception {
        InitiatorHost host = host("", List.of());

        assertThat(host.answer("offers chap")).startsWith("no ");
        assertThat(host.answer("portal chap")).startsWith("no ");
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
