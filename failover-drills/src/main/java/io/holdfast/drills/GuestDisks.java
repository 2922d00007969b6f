package io.holdfast.drills;

/** What disks a failover drill's guest has, and how they are attached. */
enum GuestDisks {
    VIRTIO_BLK(DeviceKind.VIRTIO_BLK, Count.ONE),
    VIRTIO_BLK_IOTHREAD(DeviceKind.VIRTIO_BLK_IOTHREAD, Count.ONE),
    VIRTIO_SCSI(DeviceKind.VIRTIO_SCSI, Count.ONE),
    /** Two disks of one server, each in an I/O thread of its own: the agent relays their data. */
    TWO_IOTHREADS(DeviceKind.VIRTIO_BLK_IOTHREAD, Count.TWO);

    private enum Count {
        ONE,
        TWO
    }

    private final DeviceKind first;
    private final Count count;

    GuestDisks(DeviceKind first, Count count) {
        this.first = first;
        this.count = count;
    }

    /** The name on the command line and in results. */
    String label() {
        return count == Count.TWO ? "two-iothreads" : first.label();
    }

    DeviceKind first() {
        return first;
    }

    boolean two() {
        return count == Count.TWO;
    }

    @Override
    public String toString() {
        return label();
    }
}
