package io.holdfast.drills;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** How the guest comes up. */
enum Boot {
    /** QEMU loads kernel and initramfs; only the root file system is on the logical unit. Quick. */
    KERNEL("kernel"),
    /** SeaBIOS, the boot loader, kernel and root: all of it from the logical unit, as on a real machine. */
    BIOS("bios");

    private final String label;

    Boot(String label) {
        this.label = label;
    }

    /** The name on the command line and in results. */
    String label() {
        return label;
    }

    /** Makes the image that is to be exported. */
    Path copyImage(GuestImages images, Path copy) throws IOException {
        return switch (this) {
            case KERNEL -> images.copyRoot(copy);
            case BIOS -> images.copyBios(copy);
        };
    }

    /** QEMU's arguments for it. */
    List<String> qemuArguments(GuestImages images, DeviceKind device, int writers) {
        return qemuArguments(images, device, "holdfast.writers=" + writers);
    }

    /** @param words more of the kernel's command line, where QEMU has a say in that (test-images/README.md) */
    List<String> qemuArguments(GuestImages images, DeviceKind device, String words) {
        return switch (this) {
            case KERNEL ->
                List.of(
                        "-kernel",
                        images.kernel().toString(),
                        "-initrd",
                        images.initrd().toString(),
                        "-append",
                        GuestImages.kernelCommandLine(device.guestDevice()) + " " + words);
            // The boot loader on the disk says the rest.
            case BIOS -> List.of();
        };
    }

    @Override
    public String toString() {
        return label;
    }
}
