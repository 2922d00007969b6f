package io.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.agent.freeze.FreezeEvent;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.portal.Portal;
import io.holdfast.agent.qmp.IscsiDisk;
import io.holdfast.agent.qmp.QemuDisks;
import io.holdfast.agent.qmp.QmpSession;
import io.holdfast.net.Addresses;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;

/**
 * The disks of one VM: which of them are at its portal, what QEMU does with their errors, and whether their logins may be
 * redirected. Part of its {@link VmKeeper}, and owned by the agent's loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Timers are cancelled by their owner, not waited for.
final class VmDisks {
    /** A new disk has logged in: QEMU is asked about it when it has settled. */
    private static final int LOOK_AGAIN_MS = 500;

    private final VmKeeper keeper;
    private final VmConfig config;
    private final Portal portal;
    private final EventLoop loop;
    private final VmKeeper.Home home;
    private final Logger log;
    /** Targets that were logged in to through the portal. */
    private final Supplier<Set<String>> ledTargets;

    private boolean lookAgain;
    private int knownDisks;
    private Set<String> knownTargets = Set.of();
    private Set<String> elsewhere = Set.of();
    private boolean errorReachedGuest;

    VmDisks(
            VmKeeper keeper,
            VmConfig config,
            Portal portal,
            EventLoop loop,
            VmKeeper.Home home,
            Supplier<Set<String>> ledTargets) {
        this.keeper = keeper;
        this.config = config;
        this.portal = portal;
        this.loop = loop;
        this.home = home;
        log = home.log();
        this.ledTargets = ledTargets;
    }

    /** A session has been led to the server. */
    void ledTo(String target) {
        if (!target.isEmpty() && !knownTargets.contains(target)) {
            // QEMU is asked about it in a moment, but the server may be lost before.
            Set<String> more = new TreeSet<>(knownTargets);
            more.add(target);
            disksKnown(more);
        }
        lookSoon();
    }

    /** QEMU is gone. */
    void forget() {
        knownDisks = 0;
        knownTargets = Set.of();
        elsewhere = Set.of();
        errorReachedGuest = false;
    }

    void lookSoon() {
        if (!lookAgain) {
            lookAgain = true;
            loop.schedule(
                    () -> {
                        lookAgain = false;
                        if (keeper.state() == FreezeState.RUNNING) {
                            look();
                        }
                    },
                    LOOK_AGAIN_MS,
                    TimeUnit.MILLISECONDS);
        }
    }

    /** QMP event BLOCK_IO_ERROR. */
    void ioError(JsonNode error) {
        if (!mayBeOurs(error, elsewhere)) {
            return;
        }
        if ("stop".equals(error.path("action").asText())) {
            keeper.apply(new FreezeEvent.StoppingOnIoError());
        } else {
            // A -drive without werror says "auto" when it is asked, and does this.
            errorReachedGuest = true;
            portal.errorsReachGuest(true);
            keeper.warn("I/O error on " + error.path("device").asText("a disk")
                    + " was handed to the guest: start QEMU with werror=stop,rerror=stop");
        }
    }

    /**
     * Whether an I/O error may be one of a disk at this portal. Only what is certainly another's is passed over: a disk that
     * got a snapshot has a new name, and if its pause were taken for somebody else's, nobody would ever resume the VM.
     */
    static boolean mayBeOurs(JsonNode error, Set<String> elsewhere) {
        return Stream.of("device", "qdev", "node-name")
                .noneMatch(name -> elsewhere.contains(error.path(name).asText("")));
    }

    /** Learns what the VM has at this portal, and whether it may be redirected. */
    void look() {
        QmpSession asked = keeper.session();
        if (asked == null) {
            return;
        }
        QemuDisks.ask(asked, answer -> {
            if (keeper.session() != asked) {
                return;
            }
            List<IscsiDisk> disks = answer.disks();
            elsewhere = answer.elsewhere();
            List<IscsiDisk> here = disks.stream().filter(this::isHere).toList();
            Set<String> targets = new TreeSet<>();
            here.forEach(disk -> targets.add(disk.target()));
            if (here.isEmpty()) {
                // QEMU does not say it in words that are understood here; who logged in knows better.
                targets.addAll(ledTargets.get());
            }
            if (here.size() != knownDisks) {
                knownDisks = here.size();
                tellDisks(disks, here);
            }
            portal.targetsInUse(targets);
            portal.errorsReachGuest(errorReachedGuest || here.stream().anyMatch(VmDisks::handsErrorsToGuest));
            disksKnown(targets);
            if (config.relay() == VmConfig.RelayMode.AUTO) {
                home.besides().execute(() -> {
                    RedirectSafety safety = RedirectSafety.judge(here, RedirectSafety.mappedFiles(asked.pid()));
                    loop.execute(() -> relayIfUnsafe(safety));
                });
            }
        });
    }

    private void disksKnown(Set<String> targets) {
        knownTargets = targets;
        keeper.apply(new FreezeEvent.DisksKnown(targets, knownDisks));
    }

    private void relayIfUnsafe(RedirectSafety safety) {
        if (safety.relay() && !portal.relays()) {
            portal.relayData();
            keeper.apply(new FreezeEvent.RelayChosen(true));
            log.warn("vm {}: its data is relayed from the next login on: {}", keeper.name(), safety.why());
        } else if (!safety.relay() && portal.relays()) {
            portal.redirectLogins();
            keeper.apply(new FreezeEvent.RelayChosen(false));
            log.info("vm {}: its logins are redirected from now on: {}", keeper.name(), safety.why());
        }
    }

    private boolean isHere(IscsiDisk disk) {
        return leadsTo(disk.portal(), portal.address());
    }

    /**
     * Whether QEMU's words for a portal mean this address. Names are not resolved: this is the agent's loop, and a name
     * server that does not answer would keep it from freezing anybody.
     */
    static boolean leadsTo(String portal, InetSocketAddress mine) {
        if (!portal.endsWith(":" + mine.getPort())) {
            return false;
        }
        boolean localhost = portal.startsWith("localhost:") && mine.getAddress().isLoopbackAddress();
        return localhost
                || mine.getAddress().isAnyLocalAddress()
                || Addresses.parseNumeric(portal).filter(mine::equals).isPresent();
    }

    private static boolean handsErrorsToGuest(IscsiDisk disk) {
        return disk.reportsErrors()
                || disk.device().equals("scsi-block")
                || disk.device().equals("scsi-generic");
    }

    private void tellDisks(List<IscsiDisk> all, List<IscsiDisk> here) {
        if (here.isEmpty() && !all.isEmpty()) {
            keeper.warn("none of its iSCSI disks uses its portal " + Addresses.print(portal.address())
                    + "; they log in at " + all.get(0).portal() + ". The VM is not frozen when the server is lost");
        }
        for (IscsiDisk disk : here) {
            log.info(
                    "vm {}: disk {}/{} ({}, thread {})",
                    keeper.name(),
                    disk.target(),
                    disk.lun(),
                    disk.device().isEmpty() ? "no device" : disk.device(),
                    disk.thread());
            if (disk.reportsErrors()) {
                keeper.warn("disk " + disk.target() + "/" + disk.lun()
                        + " hands errors to the guest: start QEMU with werror=stop,rerror=stop on its device");
            }
            if (disk.device().equals("scsi-block") || disk.device().equals("scsi-generic")) {
                keeper.warn("disk " + disk.target() + "/" + disk.lun() + " is a " + disk.device()
                        + ", which QEMU cannot stop on an error safely: use scsi-hd");
            }
        }
    }
}
