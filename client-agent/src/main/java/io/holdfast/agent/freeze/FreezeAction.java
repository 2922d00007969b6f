package io.holdfast.agent.freeze;

import io.holdfast.control.VmOutcome;
import java.util.List;

/** What a {@link FreezeMachine} wants done, in the order it is listed. */
public sealed interface FreezeAction {

    /** The portal no longer leads to the server; it stands in for it. */
    record PortalStandIn() implements FreezeAction {}

    /**
     * The portal leads logins to the server again.
     *
     * @param portals the server's portals, {@code ip:port}
     */
    record PortalRedirect(List<String> portals) implements FreezeAction {}

    /** Sends every session of the stand-in away, so that it logs in anew. Answered by an event. */
    record CloseStandIns() implements FreezeAction {}

    record SendStop() implements FreezeAction {}

    record SendCont() implements FreezeAction {}

    record AskStatus() implements FreezeAction {}

    /** To be on disk before the next action is carried out. */
    record Save(FreezeRecord record) implements FreezeAction {}

    /** The server may go as far as this VM is concerned. */
    record AnswerAnnouncement(long announcementId, VmOutcome.State outcome, String detail) implements FreezeAction {}

    /** The state has changed. */
    record Report(FreezeState from, FreezeState to, String why) implements FreezeAction {}

    /** Abnormal, and somebody should know; the state is the same. */
    record Warn(String what) implements FreezeAction {}
}
