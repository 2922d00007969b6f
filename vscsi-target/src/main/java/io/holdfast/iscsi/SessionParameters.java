package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.Digest;
import java.util.EnumMap;
import java.util.Map;

/**
 * What login agreed on (RFC 7143 §13). Lengths in bytes. The first three are each connection's own.
 *
 * @param maxRecvDataSegmentLength the longest data segment the initiator takes
 * @param maxBurstLength the longest sequence of Data-In or solicited Data-Out PDUs
 * @param firstBurstLength the most immediate data of one command
 * @param maxConnections how many connections the session may have
 * @param errorRecoveryLevel 0..2 (RFC 7143 §7.1.5)
 * @param maxOutstandingR2t how many R2Ts of one task may be unanswered
 */
record SessionParameters(
        Digest headerDigest,
        Digest dataDigest,
        int maxRecvDataSegmentLength,
        boolean immediateData,
        int maxBurstLength,
        int firstBurstLength,
        int maxOutstandingR2t,
        int maxConnections,
        int errorRecoveryLevel) {

    /** From the values agreed on; keys that nobody mentioned have their initial value. */
    static SessionParameters of(Map<LoginKey, String> agreed) {
        Map<LoginKey, String> all = new EnumMap<>(LoginKey.class);
        for (LoginKey key : LoginKey.values()) {
            all.put(key, agreed.getOrDefault(key, key.initial()));
        }
        return new SessionParameters(
                LoginKey.digest(text(all, LoginKey.HEADER_DIGEST)),
                LoginKey.digest(text(all, LoginKey.DATA_DIGEST)),
                number(all, LoginKey.MAX_RECV_DATA_SEGMENT_LENGTH),
                text(all, LoginKey.IMMEDIATE_DATA).equals("Yes"),
                number(all, LoginKey.MAX_BURST_LENGTH),
                // RFC 7143 §13.14: it must not exceed MaxBurstLength, which may have been agreed on without it.
                Math.min(number(all, LoginKey.FIRST_BURST_LENGTH), number(all, LoginKey.MAX_BURST_LENGTH)),
                number(all, LoginKey.MAX_OUTSTANDING_R2T),
                number(all, LoginKey.MAX_CONNECTIONS),
                number(all, LoginKey.ERROR_RECOVERY_LEVEL));
    }

    /** What holds for a connection that joins a session, of which these are the parameters. */
    SessionParameters joinedBy(SessionParameters connection) {
        return new SessionParameters(
                connection.headerDigest,
                connection.dataDigest,
                connection.maxRecvDataSegmentLength,
                immediateData,
                maxBurstLength,
                firstBurstLength,
                maxOutstandingR2t,
                maxConnections,
                errorRecoveryLevel);
    }

    private static String text(Map<LoginKey, String> all, LoginKey key) {
        return all.getOrDefault(key, "");
    }

    private static int number(Map<LoginKey, String> all, LoginKey key) {
        return (int) LoginKey.parse(text(all, key));
    }
}
