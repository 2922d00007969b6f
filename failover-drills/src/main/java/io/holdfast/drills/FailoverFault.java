package io.holdfast.drills;

import static io.holdfast.drills.FailoverShape.between;
import static io.holdfast.drills.FailoverShape.never;
import static io.holdfast.drills.FailoverShape.once;

import io.holdfast.drills.FailoverStage.Network;
import io.holdfast.drills.FailoverStage.Storage;
import io.holdfast.drills.TwoHosts.Cable;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/**
 * Every way in which a server goes away, or something else goes wrong around it. One row each: what is done, how its cause is
 * taken away again, and what must come of it. To add a way, add a row.
 */
enum FailoverFault {
    // ------------------------------------------------------------------ the process
    KILL("kill", "the server is killed", FailoverStage::killServer, FailoverStage::startServer, once(25, 150)),
    TERM(
            "term",
            "the server is told to stop",
            FailoverStage::terminateServer,
            FailoverStage::startServer,
            once(25, 150)),
    HANG(
            "hang",
            "the server hangs (SIGSTOP), and goes on with the writes that were queued in it",
            FailoverStage::suspendServer,
            FailoverStage::continueServer,
            once(2_500, 150)),
    HANG_REPLACED(
            "hang-replaced",
            "the server hangs, is killed, and another one takes its place",
            FailoverStage::suspendServer,
            FailoverStage::replaceServer,
            once(2_500, 150)),
    DOUBLE(
            "double",
            "the server is killed again within 3 s of its return",
            FailoverStage::killServer,
            stage -> {
                stage.startServer();
                stage.passUpTo(Duration.ofSeconds(3));
                stage.killAgain();
                stage.pass(Duration.ofSeconds(1));
                stage.startServer();
            },
            between(1, 2).within(25, 150)),
    FLAPPING(
            "flapping",
            "the server is killed, and comes and goes three times more",
            stage -> stage.flap(3),
            FailoverStage::startServer,
            between(1, 4).within(25, 1_150)),

    // ------------------------------------------------------------------ the network
    CUT(
            "cut",
            "every packet is lost, both ways",
            stage -> stage.cable(Cable.CUT),
            stage -> stage.cable(Cable.WHOLE),
            once(2_500, 150).overACable()),
    DEAF(
            "deaf",
            "packets to the server are lost, those from it are not",
            stage -> stage.cable(Cable.DEAF_SERVER),
            stage -> stage.cable(Cable.WHOLE),
            once(2_500, 150).overACable()),
    MUTE(
            "mute",
            "packets from the server are lost, those to it are not",
            stage -> stage.cable(Cable.MUTE_SERVER),
            stage -> stage.cable(Cable.WHOLE),
            once(2_500, 150).overACable()),
    RESET(
            "reset",
            "connections are reset, and new ones refused",
            stage -> stage.cable(Cable.RESET),
            stage -> stage.cable(Cable.WHOLE),
            once(500, 150).overACable()),

    // ------------------------------------------------------------------ the storage behind the server
    EIO(
            "eio",
            "reads and writes of the image fail (EIO)",
            stage -> stage.trouble(SyscallTrouble.Kind.FAILS),
            FailoverStage::noTrouble,
            once(250, 150)),
    LOST_WRITES(
            "lost-writes",
            "a flush of the image fails: what was acknowledged may be gone",
            stage -> stage.trouble(SyscallTrouble.Kind.LOSES_WRITES),
            FailoverStage::noTrouble,
            once(250, Double.POSITIVE_INFINITY).staysFrozen()),
    ENOSPC(
            "enospc",
            "the file system of the image is full",
            FailoverStage::fillStorage,
            FailoverStage::makeRoom,
            once(250, 150).on(Storage.SMALL)),
    STALLED(
            "stalled",
            "the file system of the image hangs, longer than the stall limit of 1 s",
            FailoverStage::hangStorage,
            FailoverStage::storageGoesOn,
            once(1_750, 150).on(Storage.LOOP)),
    UNMOUNTED(
            "unmounted",
            "the file system of the image is gone",
            FailoverStage::takeStorageAway,
            FailoverStage::bringStorageBack,
            once(1_500, 150).on(Storage.LOOP)),
    MOVED(
            "moved",
            "the image is not at its path any more",
            FailoverStage::moveImageAway,
            FailoverStage::moveImageBack,
            once(1_500, 150)),
    SLOW(
            "slow",
            "each write and flush of the image takes 0.2 s longer",
            stage -> stage.trouble(SyscallTrouble.Kind.SLOW),
            FailoverStage::noTrouble,
            never()),

    // ------------------------------------------------------------------ the agent
    AGENT_DEAD_BEFORE(
            "agent-dead-before",
            "the agent is killed, then the server; the agent comes back first",
            stage -> {
                stage.killAgent();
                stage.killServer();
                stage.passUpTo(Duration.ofSeconds(1));
                stage.startAgent();
            },
            FailoverStage::startServer,
            once(Double.POSITIVE_INFINITY, 150).withHeldPortal()),
    AGENT_DEAD_DURING(
            "agent-dead-during",
            "the server is killed, then the agent; the server comes back first",
            stage -> {
                stage.killServer();
                stage.awaitPaused();
                stage.killAgent();
            },
            stage -> {
                stage.startServer();
                stage.startAgent();
            },
            once(25, 1_000).withHeldPortal()),
    AGENT_DEAD_AFTER(
            "agent-dead-after",
            "the server is killed and comes back, and the agent is killed while it thaws",
            FailoverStage::killServer,
            stage -> {
                stage.startServer();
                stage.passUpTo(Duration.ofMillis(150));
                stage.killAgent();
                stage.startAgent();
            },
            once(25, 1_000).withHeldPortal()),
    BOTH_DEAD(
            "both-dead",
            "server and agent are killed at once; the server comes back first, and the guest may have stalled unfrozen",
            stage -> {
                stage.killServer();
                stage.killAgent();
            },
            stage -> {
                stage.startServer();
                stage.passUpTo(Duration.ofSeconds(1));
                stage.startAgent();
            },
            between(0, 1)),

    // ------------------------------------------------------------------ company
    NONE(
            "none",
            "nothing goes wrong: two guests write, and must not be frozen",
            FailoverStage::nothing,
            FailoverStage::nothing,
            never().withGuests(2)),
    TWENTY(
            "twenty",
            "the server of twenty guests is killed",
            FailoverStage::killServer,
            FailoverStage::startServer,
            once(225, 3_000).withGuests(20)),
    BOOTS_DURING(
            "boots-during",
            "the server is killed, and another guest is started while it is away",
            stage -> {
                stage.killServer();
                stage.awaitPaused();
                stage.startAnotherGuest();
            },
            FailoverStage::startServer,
            once(25, 150).withSpare()),
    BOOTS_INTO(
            "boots-into",
            "the server is killed while another guest boots",
            stage -> {
                stage.startAnotherGuest();
                stage.passUpTo(Duration.ofSeconds(3));
                stage.killServer();
            },
            FailoverStage::startServer,
            once(25, 150).withSpare()),
    MIGRATING(
            "migrating",
            "the server is killed while the guest is being migrated",
            stage -> {
                stage.tellQemu("migrate-set-parameters", "{\"max-bandwidth\":262144}");
                stage.tellQemu("migrate", "{\"uri\":\"exec:cat > /dev/null\"}");
                stage.passUpTo(Duration.ofSeconds(1));
                stage.killServer();
            },
            FailoverStage::startServer,
            once(25, 150)),
    BACKING_UP(
            "backing-up",
            "the server is killed while QEMU copies the disk to a file",
            stage -> {
                stage.startBackup();
                stage.passUpTo(Duration.ofSeconds(1));
                stage.killServer();
            },
            FailoverStage::startServer,
            once(25, 150));

    /** What is done to the scene. */
    interface Step {
        void play(FailoverStage stage) throws DrillFailure, NotHere, IOException, InterruptedException;
    }

    private final String label;
    private final String words;

    @SuppressWarnings("ImmutableEnumChecker") // a method of the stage, or a few of them
    private final Step strike;

    @SuppressWarnings("ImmutableEnumChecker") // likewise
    private final Step mend;

    @SuppressWarnings("ImmutableEnumChecker") // a record of numbers, words and enums
    private final FailoverShape shape;

    FailoverFault(String label, String words, Step strike, Step mend, FailoverShape shape) {
        this.label = label;
        this.words = words;
        this.strike = strike;
        this.mend = mend;
        this.shape = shape;
    }

    static Optional<FailoverFault> of(String label) {
        return Arrays.stream(values())
                .filter(fault -> fault.label.equals(label))
                .findFirst();
    }

    /** The name on the command line and in results. */
    String label() {
        return label;
    }

    /** What happens, in a clause. */
    String words() {
        return words;
    }

    void strike(FailoverStage stage) throws DrillFailure, NotHere, IOException, InterruptedException {
        strike.play(stage);
    }

    /** Takes the cause away. */
    void mend(FailoverStage stage) throws DrillFailure, NotHere, IOException, InterruptedException {
        mend.play(stage);
    }

    FailoverShape shape() {
        return shape;
    }

    int guests() {
        return shape.scenery().guests();
    }

    Storage storage() {
        return shape.scenery().storage();
    }

    Network network() {
        return shape.scenery().network();
    }

    /** Whether it can be played several times with one guest. */
    boolean repeats() {
        return shape.ending() == FailoverShape.Ending.RUNNING
                && shape.scenery().spare() == 0
                && this != MIGRATING
                && this != BACKING_UP;
    }

    @Override
    public String toString() {
        return label;
    }
}
