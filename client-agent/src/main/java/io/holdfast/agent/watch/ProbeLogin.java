package io.holdfast.agent.watch;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.BinaryValue;
import io.holdfast.iscsi.wire.ChapAlgorithm;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The initiator's side of a probe's login, as a value: the target's answers go in, the next request comes out.
 *
 * <pre>
 *   without an account:  OPERATIONAL ──► DONE
 *   with one:            OFFER ──(AuthMethod=CHAP)──► CHALLENGE ──► PROOF ──┐
 *                          └────(AuthMethod=None)──► OPERATIONAL ──► DONE ◄┘
 * </pre>
 */
final class ProbeLogin {
    private static final int SECURITY = 0;
    private static final int OPERATIONAL = 1;
    private static final int FULL_FEATURE = 3;
    /** The strongest first; the target takes the first it knows. */
    private static final String ALGORITHMS = "7,8,6,5";

    private static final int CHALLENGE_BYTES = 32;
    private static final SecureRandom RANDOM = new SecureRandom();

    private enum Step {
        BEGIN,
        OFFER,
        CHALLENGE,
        PROOF,
        OPERATIONAL,
        DONE
    }

    private final ProbeIdentity identity;
    private final String target;
    private final long isid;
    private final byte[] ownChallenge = new byte[CHALLENGE_BYTES];
    private final int ownIdentifier = RANDOM.nextInt(256);
    private Step step = Step.BEGIN;
    private @Nullable ChapAlgorithm algorithm;
    private int statSn;
    private String refusal = "";

    /**
     * A request to be sent.
     *
     * @param keys its text
     */
    record Request(BasicHeader header, TextKeys keys) {}

    /** @param target iSCSI name, or empty for discovery */
    ProbeLogin(ProbeIdentity identity, String target, long isid) {
        this.identity = identity;
        this.target = target;
        this.isid = isid;
        RANDOM.nextBytes(ownChallenge);
    }

    boolean done() {
        return step == Step.DONE;
    }

    /** Why the target does not let the probe in; empty while it may. */
    String refusal() {
        return refusal;
    }

    /** The StatSN of the last answer. */
    int statSn() {
        return statSn;
    }

    Request first() {
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("InitiatorName", identity.initiatorName());
        keys.put("SessionType", target.isEmpty() ? "Discovery" : "Normal");
        if (!target.isEmpty()) {
            keys.put("TargetName", target);
        }
        if (identity.chap().isEmpty()) {
            step = Step.OPERATIONAL;
            return transit(OPERATIONAL, keys);
        }
        keys.put("AuthMethod", "CHAP,None");
        step = Step.OFFER;
        return stay(keys);
    }

    /** @return the next request; empty if the login is done or refused */
    Optional<Request> answered(BasicHeader header, byte[] text) {
        statSn = header.statSn();
        if (header.opcode() != Opcode.LOGIN_RESPONSE) {
            return refused("a login was answered with " + Opcode.name(header.opcode()));
        }
        if (header.loginStatusClass() != 0) {
            return refused(
                    header.loginStatusClass() == 2 && header.loginStatusDetail() == 1
                            ? identity.chap()
                                    .map(chap ->
                                            chap + " is not accepted: give the agent another account (--chap-file)")
                                    .orElse("it asks for CHAP: give the agent an account (--chap-file)")
                            : String.format(
                                    "a login was refused with status 0x%02x%02x",
                                    header.loginStatusClass(), header.loginStatusDetail()));
        }
        try {
            return next(header, TextKeys.parse(text, text.length).pairs());
        } catch (WireException e) {
            return refused("its answer to a login is wrong: " + e.getMessage());
        }
    }

    private Optional<Request> next(BasicHeader header, Map<String, String> keys) throws WireException {
        switch (step) {
            case OFFER -> {
                if ("CHAP".equals(keys.get("AuthMethod"))) {
                    step = Step.CHALLENGE;
                    return Optional.of(stay(Map.of("CHAP_A", ALGORITHMS)));
                }
                if (mutual()) {
                    return refused("it does not prove who it is, as --chap-file wants");
                }
                step = Step.OPERATIONAL;
                return Optional.of(transit(SECURITY, Map.of()));
            }
            case CHALLENGE -> {
                step = Step.PROOF;
                return Optional.of(transit(SECURITY, proof(keys)));
            }
            case PROOF -> {
                if (mutual() && !serverProved(keys)) {
                    return refused("it does not know the target-secret of --chap-file");
                }
                step = Step.DONE;
            }
            case OPERATIONAL -> step = Step.DONE;
            case BEGIN, DONE -> throw new WireException("an answer nobody waits for");
        }
        if (!header.flag(BasicHeader.FINAL) || header.nextStage() != FULL_FEATURE) {
            return refused("it does not end the login");
        }
        return Optional.empty();
    }

    private boolean mutual() {
        return identity.chap().map(ChapCredentials::mutual).orElse(false);
    }

    private Map<String, String> proof(Map<String, String> keys) throws WireException {
        ChapCredentials chap = identity.chap().orElseThrow();
        ChapAlgorithm chosen = ChapAlgorithm.firstOf(keys.getOrDefault("CHAP_A", ""));
        String identifier = keys.getOrDefault("CHAP_I", "");
        if (chosen == null || !identifier.matches("\\d{1,3}")) {
            throw new WireException("no CHAP challenge");
        }
        algorithm = chosen;
        byte[] challenge = BinaryValue.parse(keys.getOrDefault("CHAP_C", ""));
        Map<String, String> proof = new LinkedHashMap<>();
        proof.put("CHAP_N", chap.user());
        proof.put("CHAP_R", BinaryValue.print(chosen.response(Integer.parseInt(identifier), chap.secret(), challenge)));
        if (chap.mutual()) {
            proof.put("CHAP_I", "" + ownIdentifier);
            proof.put("CHAP_C", BinaryValue.print(ownChallenge));
        }
        return proof;
    }

    private boolean serverProved(Map<String, String> keys) throws WireException {
        ChapCredentials chap = identity.chap().orElseThrow();
        ChapAlgorithm chosen = algorithm;
        return chosen != null
                && chap.serverUser().equals(keys.get("CHAP_N"))
                && MessageDigest.isEqual(
                        chosen.response(ownIdentifier, chap.serverSecret(), ownChallenge),
                        BinaryValue.parse(keys.getOrDefault("CHAP_R", "")));
    }

    private Optional<Request> refused(String why) {
        refusal = why;
        return Optional.empty();
    }

    /** Goes on in the security stage. */
    private Request stay(Map<String, String> keys) {
        return request(SECURITY << 2, keys);
    }

    /** Wants to go to full feature phase, which is allowed from either stage (RFC 7143 §6.3). */
    private Request transit(int from, Map<String, String> keys) {
        return request(BasicHeader.FINAL | from << 2 | FULL_FEATURE, keys);
    }

    private Request request(int flags, Map<String, String> keys) {
        BasicHeader header = new BasicHeader()
                .begin(Opcode.LOGIN_REQUEST, flags)
                .isidAndTsih(isid, 0)
                .initiatorTaskTag(1)
                .cmdSn(1)
                .expStatSn(statSn + 1);
        header.immediate(true);
        return new Request(header, new TextKeys(keys));
    }
}
