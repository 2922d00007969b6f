package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Text Requests in full feature phase (RFC 7143 §11.10): SendTargets (Appendix C) and the keys that may be negotiated then.
 * Requests and answers go on over several PDUs where one does not hold them. One per connection, owned by its event loop.
 */
final class TextResponder {
    /** How much text a request may bring, over all its continued PDUs. */
    static final int MAX_REQUEST_BYTES = 8192;

    /** Stands for "this negotiation goes on"; there is one at a time (RFC 7143 §11.10.4). */
    private static final int CONTINUATION_TAG = 1;

    private static final String ALL = "All";
    private static final byte[] NOTHING = {};

    private final Discovery discovery;
    private final String ownTarget;
    private final PduSender sender;
    private final ByteArrayOutputStream request = new ByteArrayOutputStream();
    private boolean open;
    private int taskTag;
    private byte[] answer = NOTHING;
    private int answered;
    /** MaxRecvDataSegmentLength that holds when the negotiation has ended; 0 if it was not mentioned. */
    private int newSegmentBytes;

    /** @param ownTarget the target of a normal session, empty in a discovery session */
    TextResponder(Discovery discovery, String ownTarget, PduSender sender) {
        this.discovery = discovery;
        this.ownTarget = ownTarget;
        this.sender = sender;
    }

    /**
     * Answers one Text Request.
     *
     * @return false if it belongs to no negotiation that is going on, and is to be rejected
     * @throws WireException if the negotiation has failed, and is over (RFC 7143 §7.10)
     */
    boolean apply(BasicHeader header, byte[] text) throws WireException {
        if (header.targetTransferTag() == BasicHeader.NO_TAG) {
            begin(header.initiatorTaskTag());
        } else if (!open || header.targetTransferTag() != CONTINUATION_TAG || header.initiatorTaskTag() != taskTag) {
            return false;
        }
        try {
            take(header, text);
            return true;
        } catch (WireException e) {
            open = false;
            throw e;
        }
    }

    private void begin(int tag) {
        open = true;
        taskTag = tag;
        request.reset();
        answer = NOTHING;
        answered = 0;
        newSegmentBytes = 0;
    }

    private void take(BasicHeader header, byte[] text) throws WireException {
        boolean more = header.flag(BasicHeader.CONTINUE);
        if (more && header.flag(BasicHeader.FINAL)) {
            throw new WireException("a Text Request has both C and F set");
        }
        if (text.length > 0 && answered < answer.length) {
            throw new WireException("text while an answer goes on");
        }
        if (request.size() + text.length > MAX_REQUEST_BYTES) {
            throw new WireException("more than " + MAX_REQUEST_BYTES + " bytes of text in one request");
        }
        request.writeBytes(text);
        if (more) {
            reply(header, 0, CONTINUATION_TAG, 0);
            return;
        }
        if (request.size() > 0) {
            answer = answer(TextKeys.parse(request.toByteArray(), request.size()));
            answered = 0;
            request.reset();
        }
        int length = Math.min(answer.length - answered, sender.maxSegmentBytes());
        boolean whole = answered + length == answer.length;
        boolean last = whole && header.flag(BasicHeader.FINAL);
        int flags = last ? BasicHeader.FINAL : whole ? 0 : BasicHeader.CONTINUE;
        reply(header, flags, last ? BasicHeader.NO_TAG : CONTINUATION_TAG, length);
        answered += length;
        if (last) {
            end();
        }
    }

    private void end() {
        open = false;
        if (newSegmentBytes > 0) {
            sender.maxSegmentBytes(newSegmentBytes);
        }
    }

    private void reply(BasicHeader to, int flags, int transferTag, int length) {
        sender.begin(Opcode.TEXT_RESPONSE, flags)
                .lun(to.lun())
                .initiatorTaskTag(taskTag)
                .targetTransferTag(transferTag);
        sender.send(Arrays.copyOfRange(answer, answered, answered + length), length);
    }

    private byte[] answer(TextKeys keys) throws WireException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Map.Entry<String, String> pair : keys.pairs().entrySet()) {
            LoginKey key = LoginKey.of(pair.getKey());
            if (key == LoginKey.SEND_TARGETS) {
                sendTargets(pair.getValue(), out);
            } else if (key == null) {
                if (!LoginKey.isAnswer(pair.getValue())) {
                    put(out, pair.getKey() + "=" + LoginKey.NOT_UNDERSTOOD);
                }
            } else {
                negotiate(key, pair.getValue(), out);
            }
        }
        return out.toByteArray();
    }

    private void sendTargets(String wanted, ByteArrayOutputStream out) {
        Map<String, List<String>> found = targets(wanted);
        boolean legal = wanted.isEmpty() || wanted.equals(ALL) || IscsiName.hasKnownType(wanted) || !found.isEmpty();
        if (!legal) {
            put(out, LoginKey.SEND_TARGETS.key() + "=" + LoginKey.REJECT);
        }
        found.forEach((name, addresses) -> {
            put(out, LoginKey.TARGET_NAME.key() + "=" + name);
            addresses.forEach(address -> put(out, LoginKey.TARGET_ADDRESS.key() + "=" + address));
        });
    }

    private void negotiate(LoginKey key, String offered, ByteArrayOutputStream out) throws WireException {
        String value = key.agree(offered);
        if (key.use() != LoginKey.Use.ANY_TIME) {
            // It was agreed on at login, and holds.
            put(out, key.key() + "=" + LoginKey.REJECT);
        } else if (value.equals(LoginKey.REJECT)) {
            throw new WireException(key.key() + "=" + TextKeys.printable(offered) + " is no legal value");
        } else if (key == LoginKey.MAX_RECV_DATA_SEGMENT_LENGTH) {
            newSegmentBytes = (int) LoginKey.parse(value);
        } else if (!key.declared()) {
            put(out, key.key() + "=" + value);
        }
    }

    /** RFC 7143 Appendix C: "All" is for discovery sessions, others hear nothing; an empty value is the session's own target. */
    private Map<String, List<String>> targets(String wanted) {
        Map<String, List<String>> visible = discovery.targets();
        if (wanted.equals(ALL) && ownTarget.isEmpty()) {
            return visible;
        }
        String name = wanted.isEmpty() ? ownTarget : wanted;
        List<String> addresses = visible.get(name);
        return addresses == null ? Map.of() : Map.of(name, addresses);
    }

    private static void put(ByteArrayOutputStream out, String pair) {
        out.writeBytes(pair.getBytes(StandardCharsets.UTF_8));
        out.write(0);
    }
}
