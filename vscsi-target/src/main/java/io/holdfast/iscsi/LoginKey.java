package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.Digest;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The keys of login (RFC 7143 §13): one row each, with the rule by which a value is agreed on and our side of it. A new
 * key is a new row.
 */
enum LoginKey {
    HEADER_DIGEST("HeaderDigest", Rule.LIST, "None", "None,CRC32C"),
    DATA_DIGEST("DataDigest", Rule.LIST, "None", "None,CRC32C"),
    AUTH_METHOD("AuthMethod", Rule.LIST, "None", "None"),
    // One connection a session: a second one is refused at its login.
    MAX_CONNECTIONS("MaxConnections", Rule.MINIMUM, "1", "1", 1, 65_535),
    // Yes: everything beyond immediate data is asked for, so memory for it is set aside before it comes.
    INITIAL_R2T("InitialR2T", Rule.OR, "Yes", "Yes"),
    IMMEDIATE_DATA("ImmediateData", Rule.AND, "Yes", "Yes"),
    MAX_BURST_LENGTH("MaxBurstLength", Rule.MINIMUM, "262144", "1048576", 512, 16_777_215),
    FIRST_BURST_LENGTH("FirstBurstLength", Rule.MINIMUM, "65536", "262144", 512, 16_777_215),
    MAX_OUTSTANDING_R2T("MaxOutstandingR2T", Rule.MINIMUM, "1", "8", 1, 65_535),
    DEFAULT_TIME2WAIT("DefaultTime2Wait", Rule.MAXIMUM, "2", "0", 0, 3600),
    DEFAULT_TIME2RETAIN("DefaultTime2Retain", Rule.MINIMUM, "20", "0", 0, 3600),
    ERROR_RECOVERY_LEVEL("ErrorRecoveryLevel", Rule.MINIMUM, "0", "0", 0, 2),
    DATA_PDU_IN_ORDER("DataPDUInOrder", Rule.OR, "Yes", "Yes"),
    DATA_SEQUENCE_IN_ORDER("DataSequenceInOrder", Rule.OR, "Yes", "Yes"),
    MAX_RECV_DATA_SEGMENT_LENGTH("MaxRecvDataSegmentLength", Rule.DECLARED_NUMBER, "8192", "262144", 512, 16_777_215),
    // Markers are obsolete (RFC 7143 §13.25); "No" is what initiators of RFC 3720 expect to hear.
    IF_MARKER("IFMarker", Rule.AND, "No", "No"),
    OF_MARKER("OFMarker", Rule.AND, "No", "No"),
    IF_MARK_INT("IFMarkInt", Rule.IRRELEVANT, "Irrelevant", ""),
    OF_MARK_INT("OFMarkInt", Rule.IRRELEVANT, "Irrelevant", ""),
    TASK_REPORTING("TaskReporting", Rule.LIST, "RFC3720", "RFC3720"),
    PROTOCOL_LEVEL("iSCSIProtocolLevel", Rule.MINIMUM, "1", "1", 0, 31),
    INITIATOR_NAME("InitiatorName", Rule.DECLARED, "", ""),
    INITIATOR_ALIAS("InitiatorAlias", Rule.DECLARED, "", ""),
    TARGET_NAME("TargetName", Rule.DECLARED, "", ""),
    SESSION_TYPE("SessionType", Rule.DECLARED, "Normal", "");

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

    /** RFC 7143 §4.2.7.2. */
    static final int MAX_NAME_BYTES = 223;

    private static final int MAX_NUMBER_DIGITS = 10;

    private final String key;
    private final Rule rule;
    private final String initial;
    private final String ours;
    private final long min;
    private final long max;

    LoginKey(String key, Rule rule, String initial, String ours) {
        this(key, rule, initial, ours, 0, 0);
    }

    LoginKey(String key, Rule rule, String initial, String ours, long min, long max) {
        this.key = key;
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

    /** True if the key is told, not negotiated: no answer is due. */
    boolean declared() {
        return rule == Rule.DECLARED || rule == Rule.DECLARED_NUMBER;
    }

    /**
     * What is agreed on when the initiator says {@code offered}: the value that holds from now on, and for negotiated keys
     * the answer. {@link #REJECT} if the offer is not a legal value.
     */
    String agree(String offered) {
        return switch (rule) {
            case LIST -> firstCommon(offered);
            case AND -> bool(offered, ours.equals("Yes") && offered.equals("Yes"));
            case OR -> bool(offered, ours.equals("Yes") || offered.equals("Yes"));
            case MINIMUM -> number(offered, Math.min(parse(offered), parse(ours)));
            case MAXIMUM -> number(offered, Math.max(parse(offered), parse(ours)));
            case DECLARED_NUMBER -> number(offered, parse(offered));
            case DECLARED -> offered.length() > MAX_NAME_BYTES ? REJECT : offered;
            case IRRELEVANT -> "Irrelevant";
        };
    }

    private String firstCommon(String offered) {
        for (String value : offered.split(",", -1)) {
            for (String have : ours.split(",", -1)) {
                if (have.equals(value)) {
                    return value;
                }
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

    /** RFC 7143 §6.1: decimal or hexadecimal constants; -1 if it is neither. */
    static long parse(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        boolean hex = lower.startsWith("0x");
        String digits = hex ? lower.substring(2) : lower;
        if (digits.isEmpty() || digits.length() > MAX_NUMBER_DIGITS) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < digits.length(); i++) {
            int digit = Character.digit(digits.charAt(i), hex ? 16 : 10);
            if (digit < 0) {
                return -1;
            }
            value = value * (hex ? 16 : 10) + digit;
        }
        return value;
    }

    static Digest digest(String agreed) {
        return agreed.equals("CRC32C") ? Digest.CRC32C : Digest.NONE;
    }
}
