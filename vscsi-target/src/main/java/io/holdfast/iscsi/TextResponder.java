package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Text Requests in full feature phase: SendTargets (RFC 7143 Appendix C), with answers that go on over several PDUs when
 * the initiator cannot take them in one. One per connection, owned by its event loop.
 */
final class TextResponder {
    /** How much text a request may bring, over all its continued PDUs. */
    static final int MAX_REQUEST_BYTES = 8192;

    private static final String SEND_TARGETS = "SendTargets";
    /** Stands for "this answer goes on"; there is one text negotiation at a time (RFC 7143 §11.10.4). */
    private static final int CONTINUATION_TAG = 1;

    private final TargetDirectory directory;
    private final String initiatorName;
    private final String ownTarget;
    private final String portal;
    private final int maxSegmentBytes;
    private final ByteArrayOutputStream request = new ByteArrayOutputStream();
    private byte[] answer = {};
    private int answered;

    /**
     * @param ownTarget the target of a normal session, empty in a discovery session
     * @param portal the address the initiator came to, as in TargetAddress
     */
    TextResponder(
            TargetDirectory directory, String initiatorName, String ownTarget, String portal, int maxSegmentBytes) {
        this.directory = directory;
        this.initiatorName = initiatorName;
        this.ownTarget = ownTarget;
        this.portal = portal;
        this.maxSegmentBytes = maxSegmentBytes;
    }

    /** Answers one Text Request. */
    void apply(BasicHeader header, byte[] text, PduSender sender) throws WireException {
        int tag = header.initiatorTaskTag();
        long lun = header.lun();
        if (header.targetTransferTag() == BasicHeader.NO_TAG) {
            request.reset();
            answer = new byte[0];
            answered = 0;
        }
        if (request.size() + text.length > MAX_REQUEST_BYTES) {
            throw new WireException("more than " + MAX_REQUEST_BYTES + " bytes of text in one request");
        }
        request.writeBytes(text);
        if (header.flag(BasicHeader.CONTINUE)) {
            reply(sender, 0, tag, lun, CONTINUATION_TAG, 0);
            return;
        }
        if (answered == 0 && request.size() > 0) {
            answer = answer(TextKeys.parse(request.toByteArray(), request.size()));
            request.reset();
        }
        int length = Math.min(answer.length - answered, maxSegmentBytes);
        boolean last = answered + length == answer.length;
        int flags = last ? BasicHeader.FINAL : BasicHeader.CONTINUE;
        reply(sender, flags, tag, lun, last ? BasicHeader.NO_TAG : CONTINUATION_TAG, length);
        answered += length;
    }

    private void reply(PduSender sender, int flags, int tag, long lun, int transferTag, int length) {
        sender.begin(Opcode.TEXT_RESPONSE, flags).lun(lun).initiatorTaskTag(tag).targetTransferTag(transferTag);
        sender.send(Arrays.copyOfRange(answer, answered, answered + length), length);
    }

    private byte[] answer(TextKeys keys) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        keys.pairs().forEach((key, value) -> {
            if (key.equals(SEND_TARGETS)) {
                targets(value).forEach(target -> {
                    put(out, "TargetName=" + target.name());
                    put(out, "TargetAddress=" + portal + "," + target.portalGroupTag());
                });
            } else {
                put(out, key + "=" + LoginKey.NOT_UNDERSTOOD);
            }
        });
        return out.toByteArray();
    }

    /** RFC 7143 Appendix C: "All" is for discovery sessions; an empty value means the session's own target. */
    private List<IscsiTarget> targets(String wanted) {
        List<IscsiTarget> visible = directory.visibleTo(initiatorName);
        if (wanted.equals("All") && ownTarget.isEmpty()) {
            return visible;
        }
        String name = wanted.isEmpty() ? ownTarget : wanted;
        return visible.stream().filter(target -> target.name().equals(name)).toList();
    }

    private static void put(ByteArrayOutputStream out, String pair) {
        out.writeBytes(pair.getBytes(StandardCharsets.UTF_8));
        out.write(0);
    }
}
