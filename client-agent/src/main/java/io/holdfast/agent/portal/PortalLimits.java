package io.holdfast.agent.portal;

/**
 * What one VM's portal puts up with.
 *
 * @param connections how many at once; a VM has one per disk, and briefly two while it moves
 * @param held how many logins may wait for the server
 * @param dataSegmentBytes our MaxRecvDataSegmentLength; a longer segment ends its connection
 * @param loginMs how long a connection may take for its first PDU, for its login, and for all of a discovery session
 * @param lingerMs how long the initiator may take to hang up once it was led elsewhere
 * @param unsentBytes how much may wait for an initiator that does not read
 */
public record PortalLimits(
        int connections, int held, int dataSegmentBytes, int loginMs, int lingerMs, int unsentBytes) {
    public static final PortalLimits DEFAULT = new PortalLimits(128, 64, 256 * 1024, 10_000, 2_000, 4 * 1024 * 1024);
}
