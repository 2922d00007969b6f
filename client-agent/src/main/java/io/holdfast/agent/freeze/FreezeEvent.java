package io.holdfast.agent.freeze;

import java.util.Set;

/** What a {@link FreezeMachine} can be told. */
public sealed interface FreezeEvent {

    // ------------------------------------------------------------------ of the server

    /** It does not serve any more, for certain. */
    record ServerLost(String why) implements FreezeEvent {}

    /** It will go, and waits for an answer to {@code announcementId} until then. */
    record ServerGoingAway(long announcementId, String reason) implements FreezeEvent {}

    /** It serves, proven by a login; told when it came back and whenever it has introduced itself anew. */
    record ServerServes(ServerView server) implements FreezeEvent {}

    /** So many sessions of this VM are in full feature phase at the server now, their connections alive. */
    record SessionsAtServer(int count) implements FreezeEvent {}

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

    // ------------------------------------------------------------------ of the clock

    /** Time has passed; wanted at {@link FreezeMachine#deadlineMs}. */
    record Tick() implements FreezeEvent {}
}
