package io.holdfast.scsi;

import io.holdfast.block.BlockError;

/**
 * Everything this target complains about: sense key, additional sense code and qualifier (SPC-4 §4.5, annex F). The
 * order of the unit attentions is the order in which they are reported when several are pending (SAM-5 §5.14).
 */
public enum SenseCode {
    NO_SENSE(SenseKey.NO_SENSE, 0x00, 0x00),

    // In the process of becoming ready, not 08h/00h or 04h/00h: Linux repeats commands after a delay for this one only,
    // and fails the file system at once for the others. Storage that vanished may come back (NFS, a replugged device).
    BACKEND_UNREACHABLE(SenseKey.NOT_READY, 0x04, 0x01),

    // The target port's access state keeps the command out: multipath takes another path (SPC-4 §5.15.2).
    ASYMMETRIC_ACCESS_STATE_TRANSITION(SenseKey.NOT_READY, 0x04, 0x0a),
    TARGET_PORT_IN_STANDBY_STATE(SenseKey.NOT_READY, 0x04, 0x0b),
    TARGET_PORT_IN_UNAVAILABLE_STATE(SenseKey.NOT_READY, 0x04, 0x0c),
    LOGICAL_UNIT_OFFLINE(SenseKey.NOT_READY, 0x04, 0x12),
    SANITIZE_IN_PROGRESS(SenseKey.NOT_READY, 0x04, 0x1b),

    MEDIUM_NOT_PRESENT(SenseKey.NOT_READY, 0x3a, 0x00),

    UNRECOVERED_READ_ERROR(SenseKey.MEDIUM_ERROR, 0x11, 0x00),
    WRITE_ERROR(SenseKey.MEDIUM_ERROR, 0x0c, 0x00),
    SANITIZE_COMMAND_FAILED(SenseKey.MEDIUM_ERROR, 0x31, 0x03),

    // A fault of ours, never of the initiator's: HARDWARE ERROR makes multipath try another path.
    INTERNAL_TARGET_FAILURE(SenseKey.HARDWARE_ERROR, 0x44, 0x00),

    // What LIO says too when the data does not fit the CDB.
    INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT(SenseKey.ILLEGAL_REQUEST, 0x0e, 0x03),
    PARAMETER_LIST_LENGTH_ERROR(SenseKey.ILLEGAL_REQUEST, 0x1a, 0x00),
    INVALID_COMMAND_OPERATION_CODE(SenseKey.ILLEGAL_REQUEST, 0x20, 0x00),
    LBA_OUT_OF_RANGE(SenseKey.ILLEGAL_REQUEST, 0x21, 0x00),
    INVALID_FIELD_IN_CDB(SenseKey.ILLEGAL_REQUEST, 0x24, 0x00),
    LOGICAL_UNIT_NOT_SUPPORTED(SenseKey.ILLEGAL_REQUEST, 0x25, 0x00),
    INVALID_FIELD_IN_PARAMETER_LIST(SenseKey.ILLEGAL_REQUEST, 0x26, 0x00),
    INVALID_RELEASE_OF_PERSISTENT_RESERVATION(SenseKey.ILLEGAL_REQUEST, 0x26, 0x04),
    MEDIUM_REMOVAL_PREVENTED(SenseKey.ILLEGAL_REQUEST, 0x53, 0x02),
    SAVING_PARAMETERS_NOT_SUPPORTED(SenseKey.ILLEGAL_REQUEST, 0x39, 0x00),
    OPERATION_IN_PROGRESS(SenseKey.ILLEGAL_REQUEST, 0x00, 0x16),
    TOO_MANY_TARGET_DESCRIPTORS(SenseKey.ILLEGAL_REQUEST, 0x26, 0x06),
    UNSUPPORTED_TARGET_DESCRIPTOR_TYPE_CODE(SenseKey.ILLEGAL_REQUEST, 0x26, 0x07),
    TOO_MANY_SEGMENT_DESCRIPTORS(SenseKey.ILLEGAL_REQUEST, 0x26, 0x08),
    UNSUPPORTED_SEGMENT_DESCRIPTOR_TYPE_CODE(SenseKey.ILLEGAL_REQUEST, 0x26, 0x09),
    INLINE_DATA_LENGTH_EXCEEDED(SenseKey.ILLEGAL_REQUEST, 0x26, 0x0b),
    INSUFFICIENT_REGISTRATION_RESOURCES(SenseKey.ILLEGAL_REQUEST, 0x55, 0x04),

    // A task attribute that is not there.
    INVALID_MESSAGE_ERROR(SenseKey.ILLEGAL_REQUEST, 0x49, 0x00),

    POWER_ON_OR_RESET(SenseKey.UNIT_ATTENTION, 0x29, 0x00),
    LOGICAL_UNIT_RESET(SenseKey.UNIT_ATTENTION, 0x29, 0x03),
    COMMANDS_CLEARED_BY_ANOTHER_INITIATOR(SenseKey.UNIT_ATTENTION, 0x2f, 0x00),
    RESERVATIONS_PREEMPTED(SenseKey.UNIT_ATTENTION, 0x2a, 0x03),
    RESERVATIONS_RELEASED(SenseKey.UNIT_ATTENTION, 0x2a, 0x04),
    REGISTRATIONS_PREEMPTED(SenseKey.UNIT_ATTENTION, 0x2a, 0x05),
    ASYMMETRIC_ACCESS_STATE_CHANGED(SenseKey.UNIT_ATTENTION, 0x2a, 0x06),
    REPORTED_LUNS_DATA_CHANGED(SenseKey.UNIT_ATTENTION, 0x3f, 0x0e),
    MEDIUM_MAY_HAVE_CHANGED(SenseKey.UNIT_ATTENTION, 0x28, 0x00),
    CAPACITY_DATA_CHANGED(SenseKey.UNIT_ATTENTION, 0x2a, 0x09),
    MODE_PARAMETERS_CHANGED(SenseKey.UNIT_ATTENTION, 0x2a, 0x01),

    WRITE_PROTECTED(SenseKey.DATA_PROTECT, 0x27, 0x00),
    SOFTWARE_WRITE_PROTECTED(SenseKey.DATA_PROTECT, 0x27, 0x02),
    // QEMU and Linux turn this one into ENOSPC, so that a guest can be paused until there is space again.
    SPACE_ALLOCATION_FAILED(SenseKey.DATA_PROTECT, 0x27, 0x07),

    // EXTENDED COPY: what became of a segment (SPC-4 §5.16.7.4). The first two are told before anything of it is
    // copied.
    UNREACHABLE_COPY_TARGET(SenseKey.COPY_ABORTED, 0x08, 0x04),
    COPY_TARGET_DEVICE_NOT_REACHABLE(SenseKey.COPY_ABORTED, 0x0d, 0x02),
    INCORRECT_COPY_TARGET_DEVICE_TYPE(SenseKey.COPY_ABORTED, 0x0d, 0x03),
    THIRD_PARTY_DEVICE_FAILURE(SenseKey.COPY_ABORTED, 0x0d, 0x01),
    UNEXPECTED_INEXACT_SEGMENT(SenseKey.COPY_ABORTED, 0x26, 0x0a),

    // What a transport says of the data it was sent (RFC 7143 §11.4.7.2).
    UNEXPECTED_UNSOLICITED_DATA(SenseKey.ABORTED_COMMAND, 0x0c, 0x0c),
    INCORRECT_AMOUNT_OF_DATA(SenseKey.ABORTED_COMMAND, 0x0c, 0x0d),
    PROTOCOL_SERVICE_CRC_ERROR(SenseKey.ABORTED_COMMAND, 0x47, 0x05),

    MISCOMPARE_DURING_VERIFY(SenseKey.MISCOMPARE, 0x1d, 0x00);

    private final SenseKey key;
    private final int asc;
    private final int ascq;

    SenseCode(SenseKey key, int asc, int ascq) {
        this.key = key;
        this.asc = asc;
        this.ascq = ascq;
    }

    public SenseKey key() {
        return key;
    }

    /** Additional sense code. */
    public int asc() {
        return asc;
    }

    /** Additional sense code qualifier. */
    public int ascq() {
        return ascq;
    }

    /** The only translation of the storage's errors into the initiator's language. */
    static SenseCode of(BlockError.Kind kind, Access access) {
        return switch (kind) {
            case NO_SPACE -> SPACE_ALLOCATION_FAILED;
            case MEDIUM -> access == Access.READ ? UNRECOVERED_READ_ERROR : WRITE_ERROR;
            case UNREACHABLE -> BACKEND_UNREACHABLE;
            case READ_ONLY -> WRITE_PROTECTED;
            // The range was checked before: the backend has shrunk since, and the initiator is about to hear of it.
            case OUT_OF_RANGE -> LBA_OUT_OF_RANGE;
            // Nothing is announced that the backend cannot do, so this is a contradiction among ourselves.
            case UNSUPPORTED -> INTERNAL_TARGET_FAILURE;
        };
    }
}
