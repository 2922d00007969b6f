package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.TextKeys;
import io.netty.buffer.ByteBuf;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The stand-in's side of a login (RFC 7143 §6, §13). It agrees to what is offered as far as it can, most of all to the
 * digests: libiscsi, told "None" after it was promised CRC32C before, drops them silently and for ever.
 */
final class LoginAnswers {
    private static final int SECURITY = 0;
    private static final int FULL_FEATURE = 3;
    private static final int MAX_BURST_BYTES = 256 * 1024;
    private static final int FIRST_BURST_BYTES = 64 * 1024;
    private static final int WINDOW = 127;

    private final int dataSegmentBytes;
    private int statSn = 1;
    private boolean portalGroupTold;
    private Digest headerDigest = Digest.NONE;
    private Digest dataDigest = Digest.NONE;

    LoginAnswers(int dataSegmentBytes) {
        this.dataSegmentBytes = dataSegmentBytes;
    }

    Digest headerDigest() {
        return headerDigest;
    }

    Digest dataDigest() {
        return dataDigest;
    }

    /** The StatSN of the first response after the login. */
    int nextStatSn() {
        return statSn;
    }

    /**
     * @param group tag of the portal group
     * @return true if the login is complete with this answer
     */
    boolean answer(BasicHeader request, TextKeys keys, int group, ByteBuf to) {
        Map<String, String> reply = new LinkedHashMap<>();
        if (!portalGroupTold && !"Discovery".equals(keys.pairs().get("SessionType"))) {
            portalGroupTold = true;
            reply.put("TargetPortalGroupTag", "" + group);
        }
        keys.pairs().forEach((key, offer) -> {
            String value = value(key, offer);
            if (!value.isEmpty()) {
                reply.put(key, value);
            }
        });
        boolean transit = request.flag(BasicHeader.FINAL) && !request.flag(BasicHeader.CONTINUE);
        boolean complete = transit && request.nextStage() == FULL_FEATURE;
        if (request.currentStage() != SECURITY && complete) {
            reply.putIfAbsent("MaxRecvDataSegmentLength", "" + dataSegmentBytes);
        }
        int stages = request.currentStage() << 2 | (transit ? request.nextStage() : 0);
        BasicHeader response = new BasicHeader()
                .begin(Opcode.LOGIN_RESPONSE, (transit ? BasicHeader.FINAL : 0) | stages)
                .isidAndTsih(request.isid(), complete ? 1 : 0)
                .initiatorTaskTag(request.initiatorTaskTag())
                .statSn(statSn++)
                .window(request.cmdSn(), request.cmdSn() + WINDOW);
        byte[] text = new TextKeys(reply).encode();
        new PduEncoder().writePdu(response, text, text.length, to);
        return complete;
    }

    private String value(String key, String offer) {
        return switch (key) {
            case "AuthMethod" -> "None";
            case "HeaderDigest" -> {
                headerDigest = firstDigest(offer);
                yield headerDigest.keyValue();
            }
            case "DataDigest" -> {
                dataDigest = firstDigest(offer);
                yield dataDigest.keyValue();
            }
            case "MaxRecvDataSegmentLength" -> "" + dataSegmentBytes;
            case "MaxBurstLength" -> atMost(offer, MAX_BURST_BYTES);
            case "FirstBurstLength" -> atMost(offer, FIRST_BURST_BYTES);
            case "MaxConnections", "MaxOutstandingR2T" -> "1";
            case "InitialR2T", "DataPDUInOrder", "DataSequenceInOrder" -> "Yes";
            case "ImmediateData" -> offer;
            // The larger one counts, and ours is 0.
            case "DefaultTime2Wait" -> offer;
            case "DefaultTime2Retain", "ErrorRecoveryLevel" -> "0";
            case "IFMarker", "OFMarker" -> "No";
            case "TaskReporting" -> "RFC3720";
            case "iSCSIProtocolLevel" -> "1";
            // Declared, not negotiated.
            case "InitiatorName", "InitiatorAlias", "TargetName", "SessionType", "IFMarkInt", "OFMarkInt" -> "";
            default -> "NotUnderstood";
        };
    }

    private static Digest firstDigest(String offer) {
        for (String name : List.of(offer.split(",", -1))) {
            for (Digest digest : Digest.values()) {
                if (digest.keyValue().equals(name.trim())) {
                    return digest;
                }
            }
        }
        return Digest.NONE;
    }

    private static String atMost(String offer, int limit) {
        try {
            return "" + Math.min(Long.parseLong(offer), limit);
        } catch (NumberFormatException e) {
            return "" + limit;
        }
    }
}
