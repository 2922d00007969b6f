package io.holdfast.agent.freeze;

import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.ServerGoingAway;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.control.ExportedUnit;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Freezes and thaws one VM: events in, actions out, the time passed in. Owned by one thread. The
 * diagram is at {@link FreezeState}.
 *
 * <p>The rules are in {@link OutageRules} and {@link MonitorRules}, on what {@link VmStanding} knows.
 *
 * <p>The order of a crash: the portal stops leading to the server, the record is on disk, {@code stop} is sent and never
 * waited for; the stand-in then fails what is in flight, which lets QEMU finish the {@code stop}. The order of a return:
 * the portal leads back, the stand-in lets its sessions go, QEMU's sessions arrive at the server, {@code cont} is sent
 * once, if QEMU still says that the VM is paused: any other status makes it HELD_BY_OTHER.
 */
public final class FreezeMachine {
    /** How long QEMU may take to log in again when it was just told to; then it is resumed regardless. */
    public static final int PROVE_LIMIT_MS = 5_000;
    /** The same when nobody could tell it: libiscsi's longest back-off is 30 s. */
    public static final int PROVE_LIMIT_UNTOLD_MS = 35_000;
    /** A VM changes between paused and running at most this often. */
    public static final int FLIP_LIMIT_MS = 1_000;
    /** A pause on an I/O error so soon after {@code cont} is still our affair. */
    public static final int SETTLE_MS = 10_000;
    /** The first look at whether its disks work for a VM that was resumed; later ones come at growing intervals. */
    public static final int IO_LOOK_MS = 1_000;
    /** Requests that were waiting, and of which none has ended for so long after {@code cont}, do not move. */
    public static final int IO_LIMIT_MS = 8_000;
    /** A {@code stop} without an answer for so long is worth a word: the VM may still run. */
    public static final int STOP_OVERDUE_MS = 1_000;

    static final long LONG_AGO = Long.MIN_VALUE / 2;
    /** QEMU's word for a VM it paused because a request failed. */
    static final String IO_ERROR = "io-error";
    /** QEMU's word for a guest that sleeps (ACPI S3): nobody has paused it, and it wakes up without being asked. */
    static final String SUSPENDED = "suspended";

    private final VmStanding vm;
    private final OutageRules outage;
    private final MonitorRules monitor;

    /**
     * @param portal address of the VM's portal, for the record
     * @param record what an earlier run of the agent left, or null
     */
    public FreezeMachine(String vm, String portal, @Nullable FreezeRecord record) {
        this(vm, portal, record, VmPolicy.PLAIN, EventTable.of(Map.of(), record));
    }

    /** The same for a VM with wishes. The table is owned by the machine's thread. */
    public FreezeMachine(String vm, String portal, @Nullable FreezeRecord record, VmPolicy policy, EventTable table) {
        this.vm = new VmStanding(vm, portal, record, policy, table);
        outage = new OutageRules(this.vm);
        monitor = new MonitorRules(this.vm, outage);
    }

    public FreezeState state() {
        return vm.state;
    }

    /** What is to be proved before it is resumed; nothing unless it is frozen and may be resumed. */
    public List<ExportedUnit> unitsWaitedFor() {
        boolean waits = vm.state == FreezeState.FROZEN || vm.state == FreezeState.FREEZING;
        return waits && vm.hold.isEmpty() ? outage.unitsToProve() : List.of();
    }

    /** Why it is in its state, for people. */
    public String reason() {
        return vm.reason;
    }

    /** The next time a {@link FreezeEvent.Tick} is wanted, in the caller's milliseconds, or empty. */
    public OptionalLong deadlineMs() {
        return outage.deadlineMs();
    }

    /**
     * @param now milliseconds of any steady clock
     * @return what is to be done, in this order
     */
    public List<FreezeAction> apply(FreezeEvent event, long now) {
        vm.begin(now);
        if (event instanceof FreezeEvent.ServerLost lost) {
            outage.serverLost(lost);
        } else if (event instanceof ServerGoingAway going) {
            outage.serverGoingAway(going);
        } else if (event instanceof FreezeEvent.ServerServes serves) {
            outage.serverServes(serves.name(), serves.server());
        } else if (event instanceof FreezeEvent.UnitsChanged changed) {
            outage.unitsChanged(changed);
        } else if (event instanceof FreezeEvent.EventRaised raised) {
            outage.eventRaised(raised.server(), raised.event());
        } else if (event instanceof FreezeEvent.EventCleared cleared) {
            outage.eventCleared(cleared.server(), cleared.event());
        } else if (event instanceof FreezeEvent.UnitsProved proved) {
            outage.unitsProved(proved.objection());
        } else if (event instanceof FreezeEvent.RegistrationsChanged) {
            outage.tableChanged();
        } else if (event instanceof FreezeEvent.SessionsAtServer sessionsThere) {
            outage.sessionsAtServer(sessionsThere.count());
        } else if (event instanceof FreezeEvent.DisksKnown known) {
            outage.disksKnown(known);
        } else if (event instanceof FreezeEvent.RelayChosen chosen) {
            vm.relay = chosen.relay();
            if (vm.state != FreezeState.ABSENT) {
                vm.save(vm.state, vm.reason);
            }
        } else if (event instanceof FreezeEvent.StandInAnswered) {
            monitor.standInAnswered();
        } else if (event instanceof FreezeEvent.StandInsClosed closed) {
            outage.standInsClosed(closed.sessions());
        } else if (event instanceof Attached attached) {
            monitor.attached(attached);
        } else if (event instanceof FreezeEvent.Detached detached) {
            monitor.detached(detached.why());
        } else if (event instanceof FreezeEvent.QemuEnded) {
            monitor.qemuEnded();
        } else if (event instanceof FreezeEvent.Stopped) {
            monitor.stopped();
        } else if (event instanceof FreezeEvent.Resumed) {
            monitor.resumed();
        } else if (event instanceof FreezeEvent.WokeUp) {
            monitor.wokeUp();
        } else if (event instanceof FreezeEvent.StoppingOnIoError) {
            vm.ioErrorPause = true;
        } else if (event instanceof FreezeEvent.StopReplied reply) {
            monitor.stopReplied(reply.error());
        } else if (event instanceof FreezeEvent.ContReplied reply) {
            monitor.contReplied(reply.error());
        } else if (event instanceof StatusReported status) {
            monitor.statusReported(status);
        } else if (event instanceof FreezeEvent.IoSeen seen) {
            outage.ioSeen(seen.moves());
        } else if (event instanceof FreezeEvent.Tick) {
            outage.tick();
        }
        return vm.actions();
    }
}
