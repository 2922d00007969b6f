package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Cases of freezing and thawing beyond a server that goes and comes back: real guests, real servers, a real agent. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class FreezeCasesIT {
    @TempDir
    private Path work = Path.of("");

    private GuestImages images = new GuestImages(Path.of(""), Path.of(""), Path.of(""), Path.of(""));

    @BeforeAll
    void prepareImages() throws InterruptedException {
        images = FailoverDrillIT.imagesOrSkip();
    }

    private static Path secretFile(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    @Test
    void shouldProtectAGuestWhoseServerAsksForChap() throws Exception {
        try (Scene scene = new Scene(work, images)) {
            ChapSecrets guestSecrets = ChapSecrets.random();
            ChapSecrets agentSecrets = new ChapSecrets(
                    "agent", ChapSecrets.random().password(), "holdfast", guestSecrets.targetPassword());
            Path accounts =
                    secretFile(scene.place().file("server-chap.toml"), guestSecrets.toToml() + agentSecrets.toToml());
            Path account = secretFile(scene.place().file("agent-chap.toml"), agentSecrets.toToml());
            ServerProcess.Setting setting =
                    scene.server("server", scene.image("web1"), "--chap-file", accounts.toString());
            ServerProcess server = scene.start(setting);
            scene.agent(List.of(setting), List.of("web1"), "--chap-file", account.toString());
            Scene.Vm vm = scene.guest(
                    "web1",
                    DeviceKind.VIRTIO_BLK,
                    ",user=guest,password-secret=chap0",
                    List.of("-object", "secret,id=chap0,data=" + guestSecrets.password()));
            scene.awaitWriting(vm);

            for (int i = 1; i <= 2; i++) {
                server.child().kill();
                scene.awaitPaused(vm);
                server = scene.start(setting);
                scene.awaitProgress(vm);
                assertThat(vm.pauses()).isEqualTo(i);
            }

            scene.requireUnharmed(vm);
        }
    }
}
