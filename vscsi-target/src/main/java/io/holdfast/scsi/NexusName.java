package io.holdfast.scsi;

/**
 * What an I_T nexus is called: it outlives sessions, because registrations do (SPC-4 §5.13.7).
 *
 * @param initiatorPort the initiator port's name, for iSCSI {@code name,i,0xISID}
 * @param relativeTargetPort the target port by its relative identifier, 1..65535
 */
public record NexusName(String initiatorPort, int relativeTargetPort) {
    public NexusName {
        if (initiatorPort.isEmpty() || relativeTargetPort < 1 || relativeTargetPort > 0xffff) {
            throw new IllegalArgumentException(
                    "'" + initiatorPort + "' at target port " + relativeTargetPort + " is no I_T nexus");
        }
    }
}
