package io.holdfast.scsi;

/**
 * An I_T nexus (SAM-5 §4.3): one initiator port talking to one target port. Logical units keep what they owe it (unit
 * attentions) under this object: two sessions are two objects, whatever their names.
 */
public final class Nexus {
    private final String initiatorPort;
    private final String targetPort;
    private final int relativeTargetPort;

    /**
     * @param initiatorPort the initiator port's name, for iSCSI {@code name,i,0xISID} (RFC 7143 §4.2.7.1)
     * @param targetPort the target port's name, for iSCSI {@code name,t,0xTPGT}
     * @param relativeTargetPort relative target port identifier, 1..65535 (SPC-4 §7.8.6.7)
     */
    public Nexus(String initiatorPort, String targetPort, int relativeTargetPort) {
        this.initiatorPort = initiatorPort;
        this.targetPort = targetPort;
        this.relativeTargetPort = relativeTargetPort;
    }

    public String initiatorPort() {
        return initiatorPort;
    }

    public String targetPort() {
        return targetPort;
    }

    public int relativeTargetPort() {
        return relativeTargetPort;
    }

    @Override
    public String toString() {
        return initiatorPort + " - " + targetPort;
    }
}
