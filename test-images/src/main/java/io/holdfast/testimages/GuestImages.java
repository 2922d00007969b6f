package io.holdfast.testimages;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;

/**
 * The images that the guests boot, as {@code test-images/build.sh} makes them. They are shared by all tests: a guest that
 * writes gets a copy.
 *
 * @param kernel for QEMU's {@code -kernel}
 * @param initrd for QEMU's {@code -initrd}
 * @param root an ext4 file system that is a whole disk: the root of a guest started with {@code -kernel}
 * @param bios a disk with boot loader, kernel and the same root in its first partition: SeaBIOS boots it
 */
public record GuestImages(Path kernel, Path initrd, Path root, Path bios) {
    private static final Duration BUILD_LIMIT = Duration.ofMinutes(3);
    private static final String SCRIPT = "test-images/build.sh";

    /**
     * The images of this checkout, built first if anything they are made of has changed (seconds; else 0.1 s).
     *
     * @throws IOException when they cannot be built; the message says what is missing
     */
    public static GuestImages build() throws IOException, InterruptedException {
        Path script = checkout().resolve(SCRIPT);
        return build(script, script.resolveSibling("target").resolve("images"));
    }

    static GuestImages build(Path script, Path output) throws IOException, InterruptedException {
        ToolRun run = ToolRun.of(BUILD_LIMIT, List.of(script.toString(), "--output", output.toString()));
        if (run.exitCode() != 0) {
            throw new IOException(script + " failed: " + run.output().strip());
        }
        return new GuestImages(
                output.resolve("vmlinuz"),
                output.resolve("initrd.gz"),
                output.resolve("root.img"),
                output.resolve("bios.img"));
    }

    /** The checkout this runs in: named by the build, or else above the working directory. */
    static Path checkout() throws IOException {
        String named = System.getProperty("holdfast.checkout");
        Path start = Path.of(named == null ? "" : named).toAbsolutePath();
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            if (Files.isExecutable(folder.resolve(SCRIPT))) {
                return folder;
            }
        }
        throw new IOException("no " + SCRIPT + " in " + start + " or above it");
    }

    /**
     * The same with more in its initramfs: the kernel takes several archives one behind the other.
     *
     * @param archive not compressed
     * @param initrd where the new initramfs goes; must not exist
     */
    public GuestImages with(Path archive, Path initrd) throws IOException {
        Files.copy(archive, initrd);
        Files.write(initrd, Files.readAllBytes(this.initrd), StandardOpenOption.APPEND);
        return new GuestImages(kernel, initrd, root, bios);
    }

    /** A copy of {@link #root} to be written to; sparse. Fails if {@code copy} exists. */
    public Path copyRoot(Path copy) throws IOException {
        SparseFiles.copy(root, 0, Files.size(root), copy);
        return copy;
    }

    /** A copy of {@link #bios} to be written to; sparse. Fails if {@code copy} exists. */
    public Path copyBios(Path copy) throws IOException {
        SparseFiles.copy(bios, 0, Files.size(bios), copy);
        return copy;
    }

    /**
     * The kernel's command line for {@code -append}: messages on the first serial port, and a kernel that panics ends the
     * machine (with {@code -no-reboot}) instead of hanging. It does not test whether its timer ticks: a QEMU that waits for its
     * turn at a busy host's processors fails that test, and the kernel panics.
     *
     * @param rootDevice such as {@code /dev/vda}
     */
    public static String kernelCommandLine(String rootDevice) {
        return "console=ttyS0 panic=-1 no_timer_check root=" + rootDevice;
    }
}
