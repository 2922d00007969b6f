package io.holdfast.drills;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system of a drill's own, to be made full, to hang, or to be taken away. Needs root. */
final class Mount implements AutoCloseable {
    private final Path folder;
    /** The loop device below it; empty if there is none. */
    private final String device;

    private boolean hangs;

    private Mount(Path folder, String device) {
        this.folder = folder;
        this.device = device;
    }

    static Mount tmpfs(Path folder, String size) throws IOException, NotHere, InterruptedException {
        Files.createDirectory(folder);
        SystemTool.require("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", folder.toString());
        return new Mount(folder, "");
    }

    /** An ext4 in a file beside the folder. */
    static Mount loop(Path folder, String size) throws IOException, NotHere, InterruptedException {
        Files.createDirectory(folder);
        Path image = folder.resolveSibling(folder.getFileName() + ".ext4");
        SystemTool.require("truncate", "-s", size, image.toString());
        SystemTool.require("mke2fs", "-q", "-t", "ext4", image.toString());
        String device = SystemTool.require("losetup", "--find", "--show", image.toString());
        Mount mount = new Mount(folder, device);
        try {
            SystemTool.require("mount", device, folder.toString());
            return mount;
        } catch (NotHere e) {
            mount.close();
            throw e;
        }
    }

    Path folder() {
        return folder;
    }

    void fill() throws IOException {
        Path filler = folder.resolve("filler");
        byte[] mib = new byte[1 << 20];
        try (OutputStream out = Files.newOutputStream(filler)) {
            for (; ; ) {
                out.write(mib);
            }
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No space left")) {
                throw e;
            }
        }
    }

    void makeRoom() throws IOException {
        Files.delete(folder.resolve("filler"));
    }

    /** Writes wait from now on. */
    void hang() throws DrillFailure, InterruptedException {
        SystemTool.insist("fsfreeze", "--freeze", folder.toString());
        hangs = true;
    }

    void goOn() throws DrillFailure, InterruptedException {
        hangs = false;
        SystemTool.insist("fsfreeze", "--unfreeze", folder.toString());
    }

    /**
     * Whoever has files open there keeps them, and nobody finds them any more. With a loop device only: what is in a tmpfs
     * would be gone.
     */
    void takeAway() throws DrillFailure, InterruptedException {
        SystemTool.insist("umount", "--lazy", folder.toString());
    }

    /** The same device, and so the same file system with the same open files: another one of the same data would ruin it. */
    void bringBack() throws DrillFailure, InterruptedException {
        SystemTool.insist("mount", device, folder.toString());
    }

    /** Lazily: what the drill started may be there still, and ends with it. */
    @Override
    public void close() {
        try {
            if (hangs) {
                goOn();
            }
            SystemTool.run("umount", "--lazy", folder.toString());
            if (!device.isEmpty()) {
                SystemTool.run("losetup", "--detach", device);
            }
        } catch (DrillFailure e) {
            throw new IllegalStateException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
