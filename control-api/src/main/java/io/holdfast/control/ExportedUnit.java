package io.holdfast.control;

/**
 * A logical unit that a server exports, to everybody or to the client whose target it is at. Two units are the same disk if
 * target, LUN and UUID agree and it has not become smaller.
 *
 * @param target iSCSI name of the target
 * @param uuid the unit's own identity, which stays when the server restarts
 */
public record ExportedUnit(String target, int lun, String uuid, long sizeBytes, boolean readOnly) {
    /** For people: {@code target/lun}. */
    public String name() {
        return target + "/" + lun;
    }
}
