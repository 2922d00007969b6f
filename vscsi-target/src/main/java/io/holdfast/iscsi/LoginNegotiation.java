package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The target's side of login (RFC 7143 §6.3 and §11.12), as a value: a request goes in, a reply comes out. No channel, no
 * clock.
 *
 * <pre>
 *   SECURITY ──► OPERATIONAL ──► FULL FEATURE
 *       │                             ▲
 *       └─────────────────────────────┘      any refusal: FAILED
 * </pre>
 */
final class LoginNegotiation {
    /** How much text one negotiation step may take, over all its continued PDUs. */
    static final int MAX_STEP_TEXT_BYTES = 64 * 1024;
    /** How many Login Requests one login may take: a handful is usual. */
    static final int MAX_REQUESTS = 32;
    /** What one Login Request may bring: until login has agreed on more, 8192 bytes are the limit (RFC 7143 §13.12). */
    static final int MAX_REQUEST_TEXT_BYTES = 8192;
    /** What an initiator takes in one login PDU before it has said otherwise (RFC 7143 §13.12). */
    static final int MAX_REPLY_TEXT_BYTES = 8192;

    static final int SECURITY = 0;
    static final int OPERATIONAL = 1;
    static final int FULL_FEATURE = 3;

    private static final String CHAP = "CHAP";
    private static final int VERSION = 0;
    private static final TextKeys NO_KEYS = new TextKeys(Map.of());

    /**
     * One Login Response.
     *
     * @param flags byte 1: T, C, CSG, NSG
     * @param keys what is told or answered
     * @param status anything but SUCCESS ends the connection once the reply is sent
     * @param why for the log when the login is refused, else empty
     */
    record Reply(int flags, TextKeys keys, LoginStatus status, String why) {
        boolean fullFeature() {
            return status == LoginStatus.SUCCESS && (flags & BasicHeader.FINAL) != 0 && (flags & 3) == FULL_FEATURE;
        }

        /** The refusal of a login that would have been accepted. */
        Reply refused(LoginStatus newStatus, String newWhy) {
            return new Reply(0, NO_KEYS, newStatus, newWhy);
        }
    }

    private final TargetDirectory directory;
    private final Map<LoginKey, String> agreed = new EnumMap<>(LoginKey.class);
    private final ByteArrayOutputStream stepText = new ByteArrayOutputStream();
    private int requests;
    private int stage = -1;
    private long isid;
    private boolean identified;
    private boolean declaredOurs;
    private String initiatorName = "";
    /** Empty in a discovery session. */
    private String targetName = "";

    private @Nullable IscsiTarget target;

    private final ChapAccounts accounts;
    /** Once CHAP has been agreed on. */
    private @Nullable ChapExchange chap;

    LoginNegotiation(TargetDirectory directory, ChapAccounts accounts) {
        this.directory = directory;
        this.accounts = accounts;
    }

    /** Empty until the initiator has named itself. */
    String initiatorName() {
        return initiatorName;
    }

    /** The target of a normal session; null in a discovery session. */
    @Nullable
    IscsiTarget target() {
        return target;
    }

    long isid() {
        return isid;
    }

    SessionParameters parameters() {
        return SessionParameters.of(agreed);
    }

    /** Takes the next Login Request. */
    Reply apply(BasicHeader request, byte[] text, int length) {
        try {
            return next(request, text, length);
        } catch (Refusal refusal) {
            return new Reply(0, refusal.keys, refusal.status, refusal.why);
        } catch (WireException e) {
            return new Reply(0, NO_KEYS, LoginStatus.INITIATOR_ERROR, e.getMessage() == null ? "" : e.getMessage());
        }
    }

    private Reply next(BasicHeader request, byte[] text, int length) throws Refusal, WireException {
        checkRequest(request);
        if (stepText.size() + length > MAX_STEP_TEXT_BYTES) {
            throw new Refusal(LoginStatus.INITIATOR_ERROR, "more than " + MAX_STEP_TEXT_BYTES + " bytes of login text");
        }
        stepText.write(text, 0, length);
        if (request.flag(BasicHeader.CONTINUE)) {
            if (request.flag(BasicHeader.FINAL)) {
                throw new Refusal(LoginStatus.INITIATOR_ERROR, "a Login Request has both C and T set");
            }
            return reply(stage << 2, Map.of());
        }
        TextKeys keys = TextKeys.parse(stepText.toByteArray(), stepText.size());
        stepText.reset();
        Map<String, String> answers = new LinkedHashMap<>();
        if (!identified) {
            identify(keys, answers);
        }
        answer(keys, answers);
        authenticate(keys, answers);
        return reply(transit(request), answers);
    }

    private void checkRequest(BasicHeader request) throws Refusal {
        if (++requests > MAX_REQUESTS) {
            throw new Refusal(LoginStatus.INITIATOR_ERROR, "more than " + MAX_REQUESTS + " Login Requests");
        }
        int current = request.currentStage();
        if (requests == 1) {
            if (request.versionMin() > VERSION) {
                throw new Refusal(LoginStatus.UNSUPPORTED_VERSION, "version " + request.versionMin() + " is too new");
            }
            // Joining an existing session needs MaxConnections > 1 or ErrorRecoveryLevel 2; neither was agreed on.
            if (request.tsih() != 0) {
                throw new Refusal(LoginStatus.NO_SUCH_SESSION, "no session " + request.tsih() + " to join");
            }
            isid = request.isid();
            stage = current;
        }
        if (current != stage || stage != SECURITY && stage != OPERATIONAL) {
            throw new Refusal(LoginStatus.INVALID_REQUEST, "stage " + current + " in stage " + stage);
        }
    }

    /** RFC 7143 §6.3: the leading request says who calls whom. */
    private void identify(TextKeys keys, Map<String, String> answers) throws Refusal {
        String initiator = keys.pairs().getOrDefault(LoginKey.INITIATOR_NAME.key(), "");
        if (initiator.isEmpty()) {
            throw new Refusal(LoginStatus.MISSING_PARAMETER, "no InitiatorName");
        }
        initiatorName = checkedName(initiator);
        String type = keys.pairs().getOrDefault(LoginKey.SESSION_TYPE.key(), "Normal");
        if (type.equals("Normal")) {
            targetName = keys.pairs().getOrDefault(LoginKey.TARGET_NAME.key(), "");
            if (targetName.isEmpty()) {
                throw new Refusal(LoginStatus.MISSING_PARAMETER, "no TargetName");
            }
            if (!accounts.areRequired()) {
                target = find();
            }
            int tag = target == null ? directory.portalGroupTag() : target.portalGroupTag();
            answers.put("TargetPortalGroupTag", Integer.toString(tag));
        } else if (!type.equals("Discovery")) {
            throw new Refusal(LoginStatus.SESSION_TYPE_UNSUPPORTED, "session type " + TextKeys.printable(type));
        }
        identified = true;
    }

    /**
     * RFC 7143 §4.2.7.2: at most 223 bytes, compared in lower case. Names of no known type are taken, because initiators
     * have them; what would make two initiators look like one, or a log line like two, is not.
     */
    private static String checkedName(String name) throws Refusal {
        if (name.getBytes(StandardCharsets.UTF_8).length > LoginKey.MAX_NAME_BYTES
                || name.chars().anyMatch(c -> c <= ' ' || c >= 0x7f && c <= 0xa0 || c == 0xfffd)) {
            throw new Refusal(
                    LoginStatus.INITIATOR_ERROR,
                    "InitiatorName '" + TextKeys.printable(name) + "' is no iSCSI name of at most "
                            + LoginKey.MAX_NAME_BYTES + " bytes");
        }
        return name.toLowerCase(Locale.ROOT);
    }

    private IscsiTarget find() throws Refusal {
        TargetDirectory.Decision decision = directory.login(initiatorName, targetName.toLowerCase(Locale.ROOT));
        if (decision instanceof TargetDirectory.Decision.Accept accept) {
            return accept.target();
        } else if (decision instanceof TargetDirectory.Decision.Redirect redirect) {
            throw new Refusal(
                    LoginStatus.MOVED_TEMPORARILY,
                    "to " + redirect.address(),
                    new TextKeys(Map.of("TargetAddress", redirect.address())));
        } else {
            throw new Refusal(
                    ((TargetDirectory.Decision.Refuse) decision).status(), "target " + TextKeys.printable(targetName));
        }
    }

    private void answer(TextKeys keys, Map<String, String> answers) throws Refusal {
        for (Map.Entry<String, String> pair : keys.pairs().entrySet()) {
            LoginKey key = LoginKey.of(pair.getKey());
            if (chap != null && ChapExchange.isChapKey(pair.getKey())) {
                continue;
            }
            if (key == null) {
                answers.put(pair.getKey(), LoginKey.NOT_UNDERSTOOD);
                continue;
            }
            String value = key == LoginKey.AUTH_METHOD ? authMethod(pair.getValue()) : key.agree(pair.getValue());
            if (value.equals(LoginKey.REJECT)) {
                refuseValue(key, pair.getValue());
            }
            agreed.put(key, value);
            if (!key.declared()) {
                answers.put(key.key(), value);
            }
        }
        if (stage == OPERATIONAL && !declaredOurs) {
            declaredOurs = true;
            LoginKey ours = LoginKey.MAX_RECV_DATA_SEGMENT_LENGTH;
            answers.put(ours.key(), ours.ours());
        }
    }

    private static void refuseValue(LoginKey key, String offered) throws Refusal {
        LoginStatus status =
                key == LoginKey.AUTH_METHOD ? LoginStatus.AUTHENTICATION_FAILED : LoginStatus.INITIATOR_ERROR;
        throw new Refusal(
                status,
                key.key() + "=" + TextKeys.printable(offered) + " cannot be agreed on; here it is " + key.ours());
    }

    // ------------------------------------------------------------------ authentication (RFC 7143 §12)

    private String authMethod(String offered) {
        if (!accounts.areRequired()) {
            return LoginKey.AUTH_METHOD.agree(offered);
        }
        boolean possible = stage == SECURITY
                && chap == null
                && List.of(offered.split(",", -1)).contains(CHAP);
        if (possible) {
            chap = new ChapExchange(accounts);
        }
        return possible ? CHAP : LoginKey.REJECT;
    }

    private void authenticate(TextKeys keys, Map<String, String> answers) throws Refusal {
        Map<String, String> chapKeys = new LinkedHashMap<>(keys.pairs());
        chapKeys.keySet().removeIf(key -> !ChapExchange.isChapKey(key));
        if (chap == null || chapKeys.isEmpty()) {
            return;
        }
        try {
            answers.putAll(chap.apply(chapKeys, initiatorName));
        } catch (ChapExchange.Failure failure) {
            throw new Refusal(LoginStatus.AUTHENTICATION_FAILED, "" + failure.getMessage());
        }
        // Only now: who has not proved himself learns nothing of what there is.
        if (chap.isProved() && !targetName.isEmpty()) {
            target = find();
        }
    }

    private boolean isAuthenticated() {
        return !accounts.areRequired() || chap != null && chap.isProved();
    }

    /** RFC 7143 §6.3: the initiator proposes a transition with T; the target agrees by echoing it. */
    private int transit(BasicHeader request) throws Refusal {
        int current = stage;
        if (chap == null && !isAuthenticated() && (current != SECURITY || request.flag(BasicHeader.FINAL))) {
            throw new Refusal(LoginStatus.AUTHENTICATION_FAILED, "no authentication was offered; CHAP is needed");
        }
        // Proposed too early: the target stays in the stage.
        if (!request.flag(BasicHeader.FINAL) || !isAuthenticated()) {
            return current << 2;
        }
        int next = request.nextStage();
        if (next <= current || next != OPERATIONAL && next != FULL_FEATURE) {
            throw new Refusal(LoginStatus.INVALID_REQUEST, "transition from stage " + current + " to " + next);
        }
        stage = next;
        return BasicHeader.FINAL | current << 2 | next;
    }

    private static Reply reply(int flags, Map<String, String> answers) throws Refusal {
        TextKeys keys = new TextKeys(answers);
        int length = keys.encode().length;
        if (length > MAX_REPLY_TEXT_BYTES) {
            throw new Refusal(LoginStatus.INITIATOR_ERROR, "the answers take " + length + " bytes");
        }
        return new Reply(flags, keys, LoginStatus.SUCCESS, "");
    }

    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        private final LoginStatus status;
        private final String why;
        private final transient TextKeys keys;

        Refusal(LoginStatus status, String why) {
            this(status, why, NO_KEYS);
        }

        Refusal(LoginStatus status, String why, TextKeys keys) {
            super(why, null, false, false);
            this.status = status;
            this.why = why;
            this.keys = keys;
        }
    }
}
