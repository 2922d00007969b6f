package io.holdfast.iscsi;

import io.holdfast.scsi.LunView;

/**
 * A target as one initiator sees it.
 *
 * @param name its iSCSI name (RFC 7143 §4.2.7)
 * @param portalGroupTag 1..65535, also the relative target port identifier
 * @param luns what stands at its LUNs
 */
public record IscsiTarget(String name, int portalGroupTag, LunView luns) {

    /** The same target through portals of another group: another target port (RFC 7143 §3.4.1). */
    public IscsiTarget in(int otherGroupTag) {
        return new IscsiTarget(name, otherGroupTag, luns);
    }
}
