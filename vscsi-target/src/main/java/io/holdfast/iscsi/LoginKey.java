package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.Digest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keys of login and text negotiation (RFC 7143 §13): one row each, with the rule by which a value is agreed on, our
 * side of it, and when it may be negotiated. A new key is a new row.
 */
enum LoginKey {
    HEADER_DIGEST("HeaderDigest", Use.LOGIN, Rule.LIST, "None", "None,CRC32C"),
    DATA_DIGEST("DataDigest", Use.LOGIN, Rule.LIST, "None", "None,CRC32C"),
    AUTH_METHOD("AuthMethod", Use.LOGIN, Rule.LIST, "None", "None"),
    MAX_CONNECTIONS("MaxConnections", Use.LEADING, Rule.MINIMUM, "1", "1", 1, 65_535),
    // Yes: everything beyond immediate data is asked for, so memory for it is set aside before it comes.
    INITIAL_R2T("InitialR2T", Use.LEADING, Rule.OR, "Yes", "Yes"),
    IMMEDIATE_DATA("ImmediateData", Use.LEADING, Rule.AND, "Yes", "Yes"),
    MAX_BURST_LENGTH("MaxBurstLength", Use.LEADING, Rule.MINIMUM, "262144", "1048576", 512, 16_777_215),
    FIRST_BURST_LENGTH("FirstBurstLength", Use.LEADING, Rule.MINIMUM, "65536", "262144", 512, 16_777_215),
    MAX_OUTSTANDING_R2T("MaxOutstandingR2T", Use.LEADING, Rule.MINIMUM, "1", "8", 1, 65_535),
    DEFAULT_TIME2WAIT("DefaultTime2Wait", Use.LEADING, Rule.MAXIMUM, "2", "0", 0, 3600),
    DEFAULT_TIME2RETAIN("DefaultTime2Retain", Use.LEADING, Rule.MINIMUM, "20", "0", 0, 3600),
    ERROR_RECOVERY_LEVEL("ErrorRecoveryLevel", Use.LEADING, Rule.MINIMUM, "0", "0", 0, 2),
    DATA_PDU_IN_ORDER("DataPDUInOrder", Use.LEADING, Rule.OR, "Yes", "Yes"),
    DATA_SEQUENCE_IN_ORDER("DataSequenceInOrder", Use.LEADING, Rule.OR, "Yes", "Yes"),
    MAX_RECV_DATA_SEGMENT_LENGTH(
            "MaxRecvDataSegmentLength", Use.ANY_TIME, Rule.DECLARED_NUMBER, "8192", "262144", 512, 16_777_215),
    // Markers are obsolete (RFC 7143 §13.25); "No" is what initiators of RFC 3720 expect to hear.
    IF_MARKER("IFMarker", Use.LOGIN, Rule.AND, "No", "No"),
    OF_MARKER("OFMarker", Use.LOGIN, Rule.AND, "No", "No"),
    IF_MARK_INT("IFMarkInt", Use.LOGIN, Rule.IRRELEVANT, "Irrelevant", ""),
    OF_MARK_INT("OFMarkInt", Use.LOGIN, Rule.IRRELEVANT, "Irrelevant", ""),
    TASK_REPORTING("TaskReporting", Use.LEADING, Rule.LIST, "RFC3720", "RFC3720"),
    PROTOCOL_LEVEL("iSCSIProtocolLevel", Use.LEADING, Rule.MINIMUM, "1", "1", 0, 31),
    INITIATOR_NAME("InitiatorName", Use.LOGIN, Rule.DECLARED, "", ""),
    INITIATOR_ALIAS("InitiatorAlias", Use.ANY_TIME, Rule.DECLARED, "", ""),
    TARGET_NAME("TargetName", Use.LOGIN, Rule.DECLARED, "", ""),
    SESSION_TYPE("SessionType", Use.LOGIN, Rule.DECLARED, "Normal", ""),
    SEND_TARGETS("SendTargets", Use.FULL_FEATURE, Rule.IRRELEVANT, "", ""),
    // What a target tells; an initiator that says it is not asked for it.
    TARGET_ALIAS("TargetAlias", Use.ANY_TIME, Rule.IRRELEVANT, "", ""),
    TARGET_ADDRESS("TargetAddress", Use.ANY_TIME, Rule.IRRELEVANT, "", ""),
    TARGET_PORTAL_GROUP_TAG("TargetPortalGroupTag", Use.LOGIN, Rule.IRRELEVANT, "", "");

    /** When a key may be negotiated: the letters LO, IO, FFPO and ALL of RFC 7143 §13. */
    enum Use {
        /** At the login of a session's first connection; it holds for the session. */
        LEADING,
        /** At the login of every connection. */
        LOGIN,
        /** In full feature phase only. */
        FULL_FEATURE,
        /** At login and in full feature phase. */
        ANY_TIME
    }

    /** How a value is agreed on (RFC 7143 §6.2). */
    enum Rule {
        /** The first of the initiator's list that we have. */
        LIST,
        /** Yes if both say so. */
        AND,
        /** Yes if one says so. */
        OR,
        /** The smaller number. */
        MINIMUM,
        /** The larger number. */
        MAXIMUM,
        /** Each side tells its own; no answer. */
        DECLARED_NUMBER,
        /** Text the initiator tells; no answer. */
        DECLARED,
        /** Means nothing here. */
        IRRELEVANT
    }

    /** The answer to a key that is not in this table (RFC 7143 §6.2). */
    static final String NOT_UNDERSTOOD = "NotUnderstood";

    /** The answer to a value that cannot be agreed on. */
    static final String REJECT = "Reject";

    /** The answer to a key that means nothing in this negotiation. */
    static final String IRRELEVANT = "Irrelevant";

    /** RFC 7143 §6.1: a value is at most this long unless its key says otherwise, and none here does. */
    static final int MAX_VALUE_BYTES = 255;

    private final String key;
    private final Use use;
    private final Rule rule;
    private final String initial;
    private final String ours;
    private final long min;
    private final long max;

    LoginKey(String key, Use use, Rule rule, String initial, String ours) {
        this(key, use, rule, initial, ours, 0, 0);
    }

    LoginKey(String key, Use use, Rule rule, String initial, String ours, long min, long max) {
        this.key = key;
        this.use = use;
        this.rule = rule;
        this.initial = initial;
        this.ours = ours;
        this.min = min;
        this.max = max;
    }

    static @Nullable LoginKey of(String name) {
        for (LoginKey key : values()) {
            if (key.key.equals(name)) {
                return key;
            }
        }
        return null;
    }

    /** The name on the wire. */
    String key() {
        return key;
    }

    /** The value that holds if nobody mentions the key. */
    String initial() {
        return initial;
    }

    /** What this server offers or declares. */
    String ours() {
        return ours;
    }

    Use use() {
        return use;
    }

    /** True if the key is told, not negotiated: no answer is due. */
    boolean declared() {
        return rule == Rule.DECLARED || rule == Rule.DECLARED_NUMBER;
    }

    /**
     * RFC 7143 §6.2: with these words one side answers what the other said; they are answered to nothing, or two sides
     * would answer each other for ever.
     */
    static boolean isAnswer(String value) {
        return value.equals(NOT_UNDERSTOOD) || value.equals(IRRELEVANT) || value.equals(REJECT);
    }

    /**
     * What is agreed on when the initiator says {@code offered}: the value that holds from now on, and for negotiated keys
     * the answer. {@link #REJECT} if the offer is not a legal value.
     */
    String agree(String offered) {
        return agree(offered, ours);
    }

    /** The same where this server offers something else than usual. */
    String agree(String offered, String offer) {
        if (offered.getBytes(StandardCharsets.UTF_8).length > MAX_VALUE_BYTES) {
            return REJECT;
        }
        return switch (rule) {
            case LIST -> firstCommon(offered, offer);
            case AND -> bool(offered, offer.equals("Yes") && offered.equals("Yes"));
            case OR -> bool(offered, offer.equals("Yes") || offered.equals("Yes"));
            case MINIMUM -> number(offered, Math.min(parse(offered), parse(offer)));
            case MAXIMUM -> number(offered, Math.max(parse(offered), parse(offer)));
            case DECLARED_NUMBER -> number(offered, parse(offered));
            case DECLARED -> offered;
            case IRRELEVANT -> IRRELEVANT;
        };
    }

    private static String firstCommon(String offered, String offer) {
        List<String> have = List.of(offer.split(",", -1));
        for (String value : offered.split(",", -1)) {
            if (have.contains(value)) {
                return value;
            }
        }
        return REJECT;
    }

    private static String bool(String offered, boolean agreed) {
        if (!offered.equals("Yes") && !offered.equals("No")) {
            return REJECT;
        }
        return agreed ? "Yes" : "No";
    }

    private String number(String offered, long agreed) {
        long value = parse(offered);
        return value < min || value > max ? REJECT : Long.toString(agreed);
    }

    /** RFC 7143 §6.1: decimal or hexadecimal constants below 2⁶³; -1 if it is neither. */
    static long parse(String text) {
        boolean hex = text.startsWith("0x") || text.startsWith("0X");
        int radix = hex ? 16 : 10;
        int first = hex ? 2 : 0;
        long value = text.length() == first ? -1 : 0;
        for (int i = first; i < text.length() && value >= 0; i++) {
            char c = text.charAt(i);
            // Character knows the digits of many scripts; the RFC knows ours.
            int digit = c < 0x80 ? Character.digit(c, radix) : -1;
            value = digit < 0 || value > (Long.MAX_VALUE - digit) / radix ? -1 : value * radix + digit;
        }
        return value;
    }

    static Digest digest(String agreed) {
        return agreed.equals("CRC32C") ? Digest.CRC32C : Digest.NONE;
    }
}
