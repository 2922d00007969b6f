package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.scsi.Limits;

/** The limits of the iSCSI server that are not settings, for the reference page: what they bound, and what happens at it. */
public enum IscsiLimit {
    VISITORS(
            ConnectionLimits.MAX_VISITORS,
            "connections",
            "That log in or discover at a time. When one more comes, the one that has been here longest is closed."),
    LOGIN_TIME(IscsiConnection.LOGIN_LIMIT_SECONDS, "seconds", "From a connection to its login. Then it is closed."),
    LOGIN_REQUESTS(LoginNegotiation.MAX_REQUESTS, "PDUs", "Of one login. One more is refused."),
    LOGIN_TEXT(
            LoginNegotiation.MAX_STEP_TEXT_BYTES,
            "bytes",
            "Of text in one step of a login, over all its PDUs. More is refused."),
    TEXT_KEYS(TextKeys.MAX_PAIRS, "keys", "In one step of a login, or one text request. More are refused."),
    COMMANDS(
            TaskSet.COMMAND_WINDOW,
            "commands",
            "Of a session at a time. The initiator is told (MaxCmdSN); commands beyond are ignored, as the RFC has it."),
    DATA_SEGMENT(
            IscsiConnection.MAX_DATA_SEGMENT_BYTES,
            "bytes",
            "Of one PDU's data. The initiator is told (MaxRecvDataSegmentLength); a longer one ends the connection."),
    TRANSFER(
            Limits.MAX_TRANSFER_BYTES,
            "bytes",
            "Of one command's data. The initiator is told (Block Limits page); a longer command is refused."),
    MEMORY_OF_A_CONNECTION(
            ConnectionMemory.LIMIT_BYTES,
            "bytes",
            "Of the memory for data that one connection may hold. Its commands wait for one another then."),
    MEMORY_FLOOR(
            ConnectionMemory.FLOOR_BYTES,
            "bytes",
            "Of that memory belong to each connection there may be, whatever others take."),
    UNREAD(
            IscsiServer.UNREAD_HIGH_BYTES,
            "bytes",
            "Of answers that an initiator does not read. It is not read either then, until it has read half of them."),
    ABORTS(
            TaskSet.MAX_PENDING_ABORTS,
            "requests",
            "To abort tasks, of a session, that wait for what they abort. More are rejected."),
    PEER_SILENCE(
            IscsiServer.PEER_SILENCE_SECONDS,
            "seconds",
            "In which an initiator's machine acknowledges nothing that it was sent, and does not answer TCP keep-alive. Then "
                    + "its connection ends."),
    PROOF(
            Membership.PROOF_LIMIT_SECONDS,
            "seconds",
            "For an older session of an initiator that logs in again to prove that it is alive. Then it is closed.");

    private final long value;
    private final String unit;
    private final String help;

    IscsiLimit(long value, String unit, String help) {
        this.value = value;
        this.unit = unit;
        this.help = help;
    }

    public long value() {
        return value;
    }

    /** What is counted. */
    public String unit() {
        return unit;
    }

    /** What it bounds, and what happens at it. */
    public String help() {
        return help;
    }
}
