package io.holdfast.agent.qmp;

/**
 * A node of QEMU's block layer that is an iSCSI initiator: one session.
 *
 * @param node QEMU's name of the node
 * @param portal where it logs in, {@code host:port}
 * @param target iSCSI name of the target
 * @param lun logical unit number
 * @param device what the guest sees: QOM type, or empty if no device uses the node
 * @param thread the iothread that drives it, or {@code main}, or {@code ?} if QEMU does not say
 * @param reportsErrors whether QEMU is known to hand read or write errors to the guest instead of pausing the VM
 */
public record IscsiDisk(
        String node, String portal, String target, int lun, String device, String thread, boolean reportsErrors) {
    /** QEMU's main loop drives the device. */
    public static final String MAIN_LOOP = "main";
    /** It could not be found out. */
    public static final String UNKNOWN_THREAD = "?";
}
