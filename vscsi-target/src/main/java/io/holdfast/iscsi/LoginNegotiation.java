package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
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
     * @param keys what is told or answered; empty in the later parts of an answer that goes on
     * @param text the keys as they are sent, or a part of them
     * @param status anything but SUCCESS ends the connection once the reply is sent
     * @param why for the log when the login is refused, else empty
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Reply(int flags, TextKeys keys, byte[] text, LoginStatus status, String why) {

        private static Reply refusal(LoginStatus status, String why, TextKeys keys) {
            return new Reply(0, keys, keys.encode(), status, why);
        }

        boolean fullFeature() {
            return status == LoginStatus.SUCCESS && (flags & BasicHeader.FINAL) != 0 && (flags & 3) == FULL_FEATURE;
        }

        /** The refusal of a login that would have been accepted. */
        Reply refused(LoginStatus newStatus, String newWhy) {
            return refusal(newStatus, newWhy, NO_KEYS);
        }
    }

    private final TargetDirectory directory;
    private final Map<LoginKey, String> agreed = new EnumMap<>(LoginKey.class);
    /** What the initiator offered, to tell when it changes its mind. */
    private final Map<LoginKey, String> offers = new EnumMap<>(LoginKey.class);

    private final ByteArrayOutputStream stepText = new ByteArrayOutputStream();
    /** What is left of an answer that goes on. */
    private byte[] unsent = {};

    private int requests;
    private int stage = -1;
    private long isid;
    private int connectionId;
    private boolean identified;
    private boolean declaredOurs;
    private String initiatorName = "";
    /** Empty in a discovery session. */
    private String targetName = "";

    private @Nullable IscsiTarget target;

    private ChapAccounts accounts;
    /** Once CHAP has been agreed on. */
    private @Nullable ChapExchange chap;

    private final Sessions sessions;
    private final int sessionConnections;
    private int tsih;
    /** The session that the connection is to join. */
    private @Nullable Session joined;

    LoginNegotiation(TargetDirectory directory, Sessions sessions, IscsiSettings settings) {
        this.directory = directory;
        this.sessions = sessions;
        this.accounts = settings.chap();
        this.sessionConnections = settings.sessionConnections();
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

    int connectionId() {
        return connectionId;
    }

    /** The session that the connection is to join; null if it begins one. */
    @Nullable
    Session joined() {
        return joined;
    }

    SessionParameters parameters() {
        SessionParameters own = SessionParameters.of(agreed);
        return joined == null ? own : joined.agreed().joinedBy(own);
    }

    /** Takes the next Login Request. */
    Reply apply(BasicHeader request, byte[] text, int length) {
        try {
            return next(request, text, length);
        } catch (Refusal refusal) {
            return Reply.refusal(refusal.status, refusal.why, refusal.keys);
        } catch (WireException e) {
            return Reply.refusal(LoginStatus.INITIATOR_ERROR, "" + e.getMessage(), NO_KEYS);
        }
    }

    private Reply next(BasicHeader request, byte[] text, int length) throws Refusal, WireException {
        checkRequest(request);
        if (unsent.length > 0) {
            return goOn(request, length);
        }
        if (stepText.size() + length > MAX_STEP_TEXT_BYTES) {
            throw new Refusal(LoginStatus.INITIATOR_ERROR, "more than " + MAX_STEP_TEXT_BYTES + " bytes of login text");
        }
        stepText.write(text, 0, length);
        if (request.flag(BasicHeader.CONTINUE)) {
            if (request.flag(BasicHeader.FINAL)) {
                throw new Refusal(LoginStatus.INITIATOR_ERROR, "a Login Request has both C and T set");
            }
            return new Reply(stage << 2, NO_KEYS, NO_KEYS.encode(), LoginStatus.SUCCESS, "");
        }
        TextKeys keys = TextKeys.parse(stepText.toByteArray(), stepText.size());
        stepText.reset();
        Map<String, String> answers = new LinkedHashMap<>();
        if (!identified) {
            identify(keys, answers);
        }
        answer(keys, answers);
        authenticate(keys, answers);
        TextKeys told = new TextKeys(answers);
        unsent = told.encode();
        return reply(request, told);
    }

    /** RFC 7143 §6.2: our answer goes on, and nothing else may come until it has been told. */
    private Reply goOn(BasicHeader request, int length) throws Refusal {
        if (length > 0 || request.flag(BasicHeader.CONTINUE)) {
            throw new Refusal(LoginStatus.INITIATOR_ERROR, "text while an answer goes on");
        }
        return reply(request, NO_KEYS);
    }

    private Reply reply(BasicHeader request, TextKeys keys) throws Refusal {
        byte[] part = unsent;
        if (part.length > MAX_REPLY_TEXT_BYTES) {
            unsent = Arrays.copyOfRange(part, MAX_REPLY_TEXT_BYTES, part.length);
            part = Arrays.copyOf(part, MAX_REPLY_TEXT_BYTES);
            return new Reply(BasicHeader.CONTINUE | stage << 2, keys, part, LoginStatus.SUCCESS, "");
        }
        unsent = NO_KEYS.encode();
        return new Reply(transit(request), keys, part, LoginStatus.SUCCESS, "");
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
            isid = request.isid();
            tsih = request.tsih();
            connectionId = request.connectionId();
            stage = current;
        }
        if (request.isid() != isid || request.tsih() != tsih || request.connectionId() != connectionId) {
            throw new Refusal(LoginStatus.INVALID_REQUEST, "ISID, TSIH or CID changed during login");
        }
        if (current != stage || stage != SECURITY && stage != OPERATIONAL) {
            throw new Refusal(LoginStatus.INVALID_REQUEST, "stage " + current + " in stage " + stage);
        }
    }

    /** RFC 7143 §6.3: the leading request says who calls whom. */
    private void identify(TextKeys keys, Map<String, String> answers) throws Refusal, WireException {
        String initiator = keys.pairs().getOrDefault(LoginKey.INITIATOR_NAME.key(), "");
        if (initiator.isEmpty()) {
            throw new Refusal(LoginStatus.MISSING_PARAMETER, "no InitiatorName");
        }
        initiatorName = IscsiName.normalised(initiator);
        accounts = directory.accountsOf(initiatorName, accounts);
        String type = keys.pairs().getOrDefault(LoginKey.SESSION_TYPE.key(), "Normal");
        if (type.equals("Normal")) {
            targetName = keys.pairs().getOrDefault(LoginKey.TARGET_NAME.key(), "");
            if (targetName.isEmpty()) {
                throw new Refusal(LoginStatus.MISSING_PARAMETER, "no TargetName");
            }
            if (!accounts.areRequired()) {
                findTarget();
            }
            int tag = target == null ? directory.portalGroupTag() : target.portalGroupTag();
            answers.put(LoginKey.TARGET_PORTAL_GROUP_TAG.key(), Integer.toString(tag));
        } else if (tsih != 0) {
            throw new Refusal(LoginStatus.NO_SUCH_SESSION, "only normal sessions can be joined");
        } else if (!type.equals("Discovery")) {
            throw new Refusal(LoginStatus.SESSION_TYPE_UNSUPPORTED, "session type " + TextKeys.printable(type));
        }
        identified = true;
    }

    private void findTarget() throws Refusal {
        IscsiTarget found = find();
        if (tsih != 0) {
            joined = findSession(found);
        }
        target = found;
    }

    /** RFC 7143 §6.3.1: the session with this handle, if it is the same initiator port's at the same target port. */
    private Session findSession(IscsiTarget found) throws Refusal {
        Session session = sessions.find(tsih);
        if (session == null
                || session.info().isid() != isid
                || !session.info().initiatorName().equals(initiatorName)
                || !session.info().targetName().equals(found.name())) {
            throw new Refusal(LoginStatus.NO_SUCH_SESSION, "no session " + tsih + " to join");
        }
        if (session.nexus().relativeTargetPort() != found.portalGroupTag()) {
            throw new Refusal(
                    LoginStatus.NOT_IN_SESSION,
                    "session " + tsih + " is in portal group " + session.nexus().relativeTargetPort());
        }
        return session;
    }

    private IscsiTarget find() throws Refusal {
        TargetDirectory.Decision decision = directory.login(initiatorName, comparable(targetName));
        if (decision instanceof TargetDirectory.Decision.Accept accept) {
            return accept.target();
        } else if (decision instanceof TargetDirectory.Decision.Redirect redirect) {
            throw new Refusal(
                    LoginStatus.MOVED_TEMPORARILY,
                    "to " + redirect.address(),
                    new TextKeys(Map.of(LoginKey.TARGET_ADDRESS.key(), redirect.address())));
        } else {
            TargetDirectory.Decision.Refuse refuse = (TargetDirectory.Decision.Refuse) decision;
            throw new Refusal(refuse.status(), refuse.why());
        }
    }

    /** What is no name is no target's name either. */
    private static String comparable(String targetName) {
        try {
            return IscsiName.normalised(targetName);
        } catch (WireException e) {
            return targetName;
        }
    }

    private void answer(TextKeys keys, Map<String, String> answers) throws Refusal {
        for (Map.Entry<String, String> pair : keys.pairs().entrySet()) {
            LoginKey key = LoginKey.of(pair.getKey());
            if (chap != null && ChapExchange.isChapKey(pair.getKey())) {
                continue;
            }
            if (key == null) {
                if (!LoginKey.isAnswer(pair.getValue())) {
                    answers.put(pair.getKey(), LoginKey.NOT_UNDERSTOOD);
                }
                continue;
            }
            String value = negotiate(key, pair.getValue());
            if (!key.declared() && !value.isEmpty()) {
                // What we tell of ourselves stands, whatever the initiator says of it.
                answers.putIfAbsent(key.key(), value);
            }
        }
        if (stage == OPERATIONAL && !declaredOurs) {
            declaredOurs = true;
            LoginKey ours = LoginKey.MAX_RECV_DATA_SEGMENT_LENGTH;
            answers.put(ours.key(), ours.ours());
        }
    }

    /** @return the answer; empty if none is due */
    private String negotiate(LoginKey key, String offered) throws Refusal {
        // RFC 7143 §6.3: what has been agreed on is not negotiated again in the same login. Saying it once more is no
        // harm.
        String before = offers.put(key, offered);
        if (before != null && !before.equals(offered) && !key.declared()) {
            throw new Refusal(
                    LoginStatus.INITIATOR_ERROR,
                    key.key() + "=" + TextKeys.printable(offered) + " after " + TextKeys.printable(before));
        }
        String value;
        if (key == LoginKey.AUTH_METHOD) {
            value = before != null && agreed.containsKey(key) ? agreed.getOrDefault(key, "") : authMethod(offered);
        } else if (tsih != 0 && key.use() == LoginKey.Use.LEADING) {
            // It was agreed on when the session began.
            return LoginKey.IRRELEVANT;
        } else if (key == LoginKey.MAX_CONNECTIONS) {
            value = key.agree(offered, targetName.isEmpty() ? "1" : Integer.toString(sessionConnections));
        } else if (LoginKey.isAnswer(offered) && key.agree(offered).equals(LoginKey.IRRELEVANT)) {
            return "";
        } else {
            value = key.agree(offered);
        }
        if (value.equals(LoginKey.REJECT)) {
            refuseValue(key, offered);
        }
        agreed.put(key, value);
        return value;
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
            findTarget();
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
