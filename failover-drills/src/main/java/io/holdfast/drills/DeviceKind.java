package io.holdfast.drills;

import java.util.List;

/** How the guest's disk is attached to it: the three ways QEMU can both pause on an error and take up again from. */
enum DeviceKind {
    VIRTIO_BLK("virtio-blk", "/dev/vda"),
    VIRTIO_BLK_IOTHREAD("virtio-blk-iothread", "/dev/vda"),
    VIRTIO_SCSI("virtio-scsi", "/dev/sda");

    private final String label;
    private final String guestDevice;

    DeviceKind(String label, String guestDevice) {
        this.label = label;
        this.guestDevice = guestDevice;
    }

    /** The name on the command line and in results. */
    String label() {
        return label;
    }

    /** The node the guest's kernel gives the disk. */
    String guestDevice() {
        return guestDevice;
    }

    /** QEMU's arguments for the device; its disk is the block node {@code disk0}. */
    List<String> qemuArguments() {
        // An error parks the request and pauses the guest; the guest never hears of it.
        String disk = "drive=disk0,werror=stop,rerror=stop";
        return switch (this) {
            case VIRTIO_BLK -> List.of("-device", "virtio-blk-pci," + disk);
            case VIRTIO_BLK_IOTHREAD ->
                List.of("-object", "iothread,id=io0", "-device", "virtio-blk-pci,iothread=io0," + disk);
            // scsi-hd, not scsi-block: QEMU 7.2's scsi-block aborts when it takes up parked requests again.
            case VIRTIO_SCSI ->
                List.of("-device", "virtio-scsi-pci,id=scsi0", "-device", "scsi-hd,bus=scsi0.0," + disk);
        };
    }

    @Override
    public String toString() {
        return label;
    }
}
