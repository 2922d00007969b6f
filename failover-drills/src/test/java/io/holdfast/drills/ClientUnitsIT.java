package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest whose disk is the LU of a client with a port name of its own, which no agent may log in to: its server proves it before
 * a thaw. One guest for all of it, which writes all the time, and is judged at the end.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class ClientUnitsIT {
    private @Nullable Stage stage;

    /** A client that has the LU. */
    private record Client(String target, String wwpn) {
        static Client add(Scene scene, ServerProcess.Setting setting, String name)
                throws DrillFailure, InterruptedException {
            scene.operate(setting, "client", "add", name);
            scene.operate(setting, "map", name, "web1");
            return new Client(shown(scene, setting, name, "target"), shown(scene, setting, name, "wwpn"));
        }

        private static String shown(Scene scene, ServerProcess.Setting setting, String name, String field)
                throws DrillFailure, InterruptedException {
            return scene.operateForAnswer(setting, "client", "show", name, "-fmt", "|", "--field", field);
        }

        String initiator() {
            return "naa." + wwpn;
        }
    }

    /** The server, the agent and the guest; another client has the guest's LU too. */
    private static final class Stage implements AutoCloseable {
        /** Behind the guest's file system: nothing is lost with it. */
        static final long TAIL_BYTES = 16 << 20;

        final Scene scene;
        final ServerProcess.Setting setting;
        private ServerProcess server;
        private @Nullable AgentProcess agent;
        private Scene.@Nullable Vm vm;
        private @Nullable Client other;

        Stage(Path work, GuestImages images) throws DrillFailure, IOException, InterruptedException {
            scene = new Scene(work, images);
            Path spare = scene.place().file("spare.img");
            resize(spare, 1 << 20);
            setting = scene.server("server", spare);
            server = scene.start(setting);
        }

        void furnish() throws DrillFailure, IOException, InterruptedException {
            Path image = scene.image("web1");
            resize(image, Files.size(image) + TAIL_BYTES);
            scene.operate(setting, "lu", "create", "web1", "--path", image.toString(), "--sharing", "shared");
            Client own = Client.add(scene, setting, "web1");
            scene.operate(setting, "initiator", "bind", GuestVm.initiator("web1"), own.wwpn());
            other = Client.add(scene, setting, "other");
            agent = scene.agent(List.of(setting), List.of("web1"));
            Scene.Vm guest = scene.guestAt(own.target(), "web1");
            vm = guest;
            scene.awaitWriting(guest);
        }

        Scene.Vm vm() {
            return Objects.requireNonNull(vm);
        }

        Client other() {
            return Objects.requireNonNull(other);
        }

        void signalAgent(String signal) throws DrillFailure, InterruptedException {
            SystemTool.insist(
                    "kill",
                    signal,
                    String.valueOf(Objects.requireNonNull(agent).child().pid()));
        }

        /** @return how often the guest had been resumed by then */
        long killServer() throws DrillFailure, InterruptedException {
            server.child().kill();
            scene.awaitPaused(vm());
            return vm().resumes();
        }

        void startServer() throws DrillFailure, InterruptedException {
            server = scene.start(setting);
        }

        /** One that the agent does not know of, on the same state. */
        ServerProcess.Setting startServerUnseen() throws DrillFailure, InterruptedException {
            ServerProcess.Setting unseen = new ServerProcess.Setting(
                    setting.holdfast(), setting.iscsiPort(), FreePort.choose(), setting.image(), setting.stateFolder());
            server = scene.start(unseen);
            return unseen;
        }

        void stopServer() throws DrillFailure, InterruptedException {
            server.child().terminate();
            scene.await(
                    "the server to go",
                    Duration.ofSeconds(20),
                    () -> !server.child().alive());
        }

        void showInstead(ServerProcess.Setting at, String before, String after)
                throws DrillFailure, InterruptedException {
            scene.operate(at, "unmap", "web1", before);
            scene.operate(at, "map", "web1", after, "--lun", "0");
        }

        @Override
        public void close() {
            scene.close();
        }
    }

    @BeforeAll
    void setTheStage(@TempDir Path work) throws Exception {
        Stage empty = new Stage(work, FailoverDrillIT.imagesOrSkip());
        stage = empty;
        empty.furnish();
    }

    @AfterAll
    void judge() throws Exception {
        try (Stage all = stage) {
            if (all != null && all.vm != null) {
                all.scene.requireUnharmed(all.vm());
            }
        }
    }

    private Stage stage() {
        return Objects.requireNonNull(stage);
    }

    @Test
    void shouldThawTheGuestOfAClientWhoseUnitIsAsItWas() throws Exception {
        Stage at = stage();
        for (int i = 0; i < 2; i++) {
            at.killServer();
            at.startServer();
            at.scene.awaitProgress(at.vm());
        }
        assertThat(at.scene.lineWith("earlier version")).isEmpty();
    }

    @Test
    void shouldKeepItFrozenWhileAnotherClientHasReservedItsUnit() throws Exception {
        Stage at = stage();
        long resumes = at.killServer();

        // The other host is first at the server that comes back.
        at.signalAgent("-STOP");
        at.startServer();
        try (ForeignHost foreign = ForeignHost.at(
                at.setting.iscsiPort(), at.other().target(), at.other().initiator())) {
            foreign.takeDisk();
            at.signalAgent("-CONT");
            at.scene.awaitSaid("it is reserved by " + at.other().initiator());
            assertThat(at.vm().resumes()).isEqualTo(resumes);
            foreign.giveDiskBack();
        }

        at.scene.awaitProgress(at.vm());
    }

    @Test
    void shouldKeepItFrozenWhileItsImageIsSmallerThanItWas() throws Exception {
        Stage at = stage();
        Path image = at.vm().image();
        long bytes = Files.size(image);
        long cut = bytes - Stage.TAIL_BYTES / 2;
        long resumes = at.killServer();

        resize(image, cut);
        at.startServer();
        at.scene.awaitSaid("it has " + cut + " bytes, and had " + bytes);
        assertThat(at.vm().resumes()).isEqualTo(resumes);
        resize(image, bytes);

        at.scene.awaitProgress(at.vm());
    }

    @Test
    void shouldKeepItFrozenWhileItsUnitIsAnother() throws Exception {
        Stage at = stage();
        Path decoy = at.scene.place().file("decoy.img");
        String bytes = String.valueOf(Files.size(at.vm().image()));
        long resumes = at.killServer();

        ServerProcess.Setting unseen = at.startServerUnseen();
        at.scene.operate(unseen, "lu", "create", "decoy", bytes, "--path", decoy.toString());
        at.showInstead(unseen, "web1", "decoy");
        at.stopServer();
        at.startServer();
        at.scene.awaitSaid("another disk as " + at.vm().target() + "/0");
        assertThat(at.vm().resumes()).isEqualTo(resumes);
        at.scene.operate(at.setting, "unmap", "web1", "decoy");
        at.scene.awaitSaid("serves, but not " + at.vm().target() + "/0");
        assertThat(at.vm().resumes()).as("without any disk").isEqualTo(resumes);
        at.scene.operate(at.setting, "map", "web1", "web1", "--lun", "0");

        at.scene.awaitProgress(at.vm());
    }

    private static void resize(Path image, long bytes) throws IOException {
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (bytes < file.size()) {
                file.truncate(bytes);
            } else {
                file.write(ByteBuffer.allocate(1), bytes - 1);
            }
        }
    }
}
