package io.holdfast.agent.freeze;

import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerMessage;
import java.util.Set;

/** What a {@link FreezeMachine} can be told. */
public sealed interface FreezeEvent {
    /** The name of the server of a machine that has one. */
    String ONLY_SERVER = "";

    // ------------------------------------------------------------------ of the server

    /**
     * It does not serve any more, for certain.
     *
     * @param server which one, as the machine was told of it
     * @param event the event's name, by which the VM's {@link EventTable} knows what to do
     */
    record ServerLost(String server, String event, String why) implements FreezeEvent {
        /** Of the only server. */
        public ServerLost(String why) {
            this(ONLY_SERVER, EventTable.SERVER_CRASH, why);
        }
    }

    /** It will go, and waits for an answer to {@code announcementId} until then. */
    record ServerGoingAway(String server, long announcementId, String reason) implements FreezeEvent {
        /** Of the only server. */
        public ServerGoingAway(long announcementId, String reason) {
            this(ONLY_SERVER, announcementId, reason);
        }
    }

    /** Something is wrong at a server that goes on serving. */
    record EventRaised(String server, RaisedEvent event) implements FreezeEvent {}

    /** It is well again. */
    record EventCleared(String server, RaisedEvent event) implements FreezeEvent {}

    /** It serves, proven by a login; told when it came back and whenever it has introduced itself anew. */
    record ServerServes(String name, ServerView server) implements FreezeEvent {
        /** The only server. */
        public ServerServes(ServerView server) {
            this(ONLY_SERVER, server);
        }
    }

    /**
     * A server that serves says that it serves other units than before: somebody has mapped, unmapped or resized some.
     *
     * @param server as it is now
     */
    record UnitsChanged(String name, ServerView server, ServerMessage.UnitsChanged change) implements FreezeEvent {}

    /** So many sessions of this VM are in full feature phase at its servers now, their connections alive. */
    record SessionsAtServer(int count) implements FreezeEvent {}

    /**
     * The logical units of the VM have been asked whether they read and write, as wanted by
     * {@link FreezeAction.ProveUnits}.
     *
     * @param objection why the VM must not be resumed on them; empty if nothing is wrong
     */
    record UnitsProved(String objection) implements FreezeEvent {}

    // ------------------------------------------------------------------ of the portal

    /**
     * What the VM is known to use.
     *
     * @param targets iSCSI names of its targets at this server
     * @param sessions how many sessions it holds when all is well; 0 if that is not known
     */
    record DisksKnown(Set<String> targets, int sessions) implements FreezeEvent {
        public DisksKnown {
            targets = Set.copyOf(targets);
        }
    }

    /** Whether the VM's data must be relayed, because its initiator does not survive a redirect. */
    record RelayChosen(boolean relay) implements FreezeEvent {}

    /** The first command has been failed on purpose: QEMU will pause the VM if it runs. */
    record StandInAnswered() implements FreezeEvent {}

    /** Carried out: {@link FreezeAction.CloseStandIns}; so many sessions are on their way to the server. */
    record StandInsClosed(int sessions) implements FreezeEvent {}

    // ------------------------------------------------------------------ of QEMU

    /**
     * The monitor is connected.
     *
     * @param pid QEMU's process, 0 if unknown
     * @param status QEMU's word for its state: {@code running}, {@code paused}, {@code io-error}, …
     */
    record Attached(int pid, boolean running, String status) implements FreezeEvent {}

    /** The monitor is gone, and QEMU most likely with it. */
    record Detached(String why) implements FreezeEvent {}

    /** The QEMU whose monitor was lost, or that is on record, is no process any more. */
    record QemuEnded() implements FreezeEvent {}

    /** QMP event STOP. */
    record Stopped() implements FreezeEvent {}

    /** QMP event RESUME. */
    record Resumed() implements FreezeEvent {}

    /** QMP event WAKEUP: a guest that slept runs, also if it was asked to stop while it slept (QEMU before 9.0). */
    record WokeUp() implements FreezeEvent {}

    /** QMP event BLOCK_IO_ERROR with action stop: a STOP follows that nobody asked for. */
    record StoppingOnIoError() implements FreezeEvent {}

    /** The reply to {@code stop}: everything in flight has drained. The error is empty if it succeeded. */
    record StopReplied(String error) implements FreezeEvent {}

    /** The reply to {@code cont}. The error is empty if it succeeded. */
    record ContReplied(String error) implements FreezeEvent {}

    /** The reply to {@code query-status}. */
    record StatusReported(boolean running, String status) implements FreezeEvent {}

    /**
     * The answer to {@link FreezeAction.AskIo}.
     *
     * @param moves whether a request of one of its disks has ended since
     */
    record IoSeen(boolean moves) implements FreezeEvent {}

    // ------------------------------------------------------------------ of the table

    /** What its guest or operators registered in its {@link EventTable} has changed. */
    record RegistrationsChanged() implements FreezeEvent {}

    // ------------------------------------------------------------------ of the clock

    /** Time has passed; wanted at {@link FreezeMachine#deadlineMs}. */
    record Tick() implements FreezeEvent {}
}
