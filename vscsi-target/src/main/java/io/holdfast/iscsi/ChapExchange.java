package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BinaryValue;
import io.holdfast.iscsi.wire.ChapAlgorithm;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The target's side of CHAP (RFC 7143 §12.1), as a value: the initiator's CHAP keys go in, ours come out.
 *
 * <pre>
 *   ALGORITHM ──(CHAP_A)──► RESPONSE ──(CHAP_N, CHAP_R, and CHAP_I, CHAP_C for mutual CHAP)──► PROVED
 * </pre>
 */
final class ChapExchange {
    private static final String PREFIX = "CHAP_";
    private static final String ALGORITHM = "CHAP_A";
    private static final String IDENTIFIER = "CHAP_I";
    private static final String CHALLENGE = "CHAP_C";
    private static final String NAME = "CHAP_N";
    private static final String RESPONSE = "CHAP_R";
    /** As long as the longest hash. */
    private static final int CHALLENGE_BYTES = 32;

    private static final SecureRandom RANDOM = new SecureRandom();

    private enum Step {
        ALGORITHM,
        RESPONSE,
        PROVED
    }

    private final ChapAccounts accounts;
    private final byte[] challenge = new byte[CHALLENGE_BYTES];
    private final int identifier = RANDOM.nextInt(256);
    private Step step = Step.ALGORITHM;
    private ChapAlgorithm algorithm = ChapAlgorithm.SHA256;

    /** The initiator has not proved who it is; why, for the log. What it is told is the same in every case. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        Failure(String why) {
            super(why, null, false, false);
        }
    }

    ChapExchange(ChapAccounts accounts) {
        this.accounts = accounts;
        RANDOM.nextBytes(challenge);
    }

    static boolean isChapKey(String key) {
        return key.startsWith(PREFIX);
    }

    boolean isProved() {
        return step == Step.PROVED;
    }

    /** Takes the CHAP keys of one request; those it does not wait for are a failure. */
    Map<String, String> apply(Map<String, String> keys, String initiatorName) throws Failure {
        return switch (step) {
            case ALGORITHM -> challenge(keys);
            case RESPONSE -> check(keys, initiatorName);
            case PROVED -> throw new Failure("CHAP keys after CHAP");
        };
    }

    private Map<String, String> challenge(Map<String, String> keys) throws Failure {
        ChapAlgorithm chosen = ChapAlgorithm.firstOf(needed(keys, ALGORITHM));
        if (chosen == null || keys.size() != 1) {
            throw new Failure(
                    "CHAP algorithms " + TextKeys.printable(needed(keys, ALGORITHM)) + ": none is known here");
        }
        algorithm = chosen;
        step = Step.RESPONSE;
        Map<String, String> answer = new LinkedHashMap<>();
        answer.put(ALGORITHM, Integer.toString(chosen.number()));
        answer.put(IDENTIFIER, Integer.toString(identifier));
        answer.put(CHALLENGE, BinaryValue.print(challenge));
        return answer;
    }

    private Map<String, String> check(Map<String, String> keys, String initiatorName) throws Failure {
        String user = needed(keys, NAME);
        ChapAccount account = accounts.of(user);
        byte[] response = binary(needed(keys, RESPONSE));
        // Somebody who does not exist takes as long as somebody with a wrong secret.
        byte[] due = algorithm.response(identifier, account == null ? challenge : account.secret(), challenge);
        boolean right = MessageDigest.isEqual(due, response);
        if (account == null || !right || !account.mayBeUsedBy(initiatorName)) {
            throw new Failure("CHAP user " + TextKeys.printable(user)
                    + (account == null ? " is unknown" : right ? " belongs to another initiator" : ": wrong secret"));
        }
        Map<String, String> answer = new LinkedHashMap<>();
        if (keys.containsKey(CHALLENGE) || keys.containsKey(IDENTIFIER)) {
            prove(keys, account, answer);
        }
        step = Step.PROVED;
        return answer;
    }

    private void prove(Map<String, String> keys, ChapAccount account, Map<String, String> answer) throws Failure {
        long theirIdentifier = LoginKey.parse(needed(keys, IDENTIFIER));
        byte[] theirChallenge = binary(needed(keys, CHALLENGE));
        if (theirIdentifier < 0 || theirIdentifier > 255) {
            throw new Failure("CHAP_I is not a number in 0..255");
        }
        // RFC 7143 §9.2.1: or we would compute for somebody what he is to prove to us.
        if (Arrays.equals(theirChallenge, challenge)) {
            throw new Failure("our own challenge came back");
        }
        if (!account.isMutual()) {
            throw new Failure("mutual CHAP was asked for; " + account + " has no target secret");
        }
        byte[] proof = algorithm.response((int) theirIdentifier, account.targetSecret(), theirChallenge);
        answer.put(NAME, account.targetUser());
        answer.put(RESPONSE, BinaryValue.print(proof));
    }

    private static String needed(Map<String, String> keys, String key) throws Failure {
        @Nullable String value = keys.get(key);
        if (value == null || value.isEmpty()) {
            throw new Failure("no " + key);
        }
        return value;
    }

    private static byte[] binary(String text) throws Failure {
        try {
            return BinaryValue.parse(text);
        } catch (WireException e) {
            throw new Failure("" + e.getMessage());
        }
    }
}
