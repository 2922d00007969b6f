package io.holdfast.drills;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A file system of a test's own, to be made full or to hang. Needs root, and says so where it is not. */
final class Mount implements AutoCloseable {
    private static final int LIMIT_S = 20;
    private final Path folder;
    private boolean hangs;

    private Mount(Path folder) {
        this.folder = folder;
    }

    static Mount tmpfs(Path folder, String size) throws IOException, InterruptedException {
        Files.createDirectory(folder);
        require("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", folder.toString());
        return new Mount(folder);
    }

    /** An ext4 in a file beside the folder. */
    static Mount loop(Path folder, String size) throws IOException, InterruptedException {
        Files.createDirectory(folder);
        Path image = folder.resolveSibling(folder.getFileName() + ".ext4");
        require("truncate", "-s", size, image.toString());
        require("mke2fs", "-q", "-t", "ext4", image.toString());
        require("mount", "-o", "loop", image.toString(), folder.toString());
        return new Mount(folder);
    }

    Path folder() {
        return folder;
    }

    void fill() throws IOException {
        Path filler = folder.resolve("filler");
        byte[] mib = new byte[1 << 20];
        try (var out = Files.newOutputStream(filler)) {
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
    void hang() throws IOException, InterruptedException {
        require("fsfreeze", "--freeze", folder.toString());
        hangs = true;
    }

    void goOn() throws IOException, InterruptedException {
        hangs = false;
        require("fsfreeze", "--unfreeze", folder.toString());
    }

    private static void require(String... command) throws IOException, InterruptedException {
        String problem = run(command);
        if (!problem.isEmpty()) {
            System.out.println("skipped: " + problem);
            abort(problem);
        }
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (!process.waitFor(LIMIT_S, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            return List.of(command) + " did not end";
        }
        return process.exitValue() == 0 ? "" : List.of(command) + ": " + said.trim();
    }

    /** Lazily: what the test started may be there still, and ends with it. */
    @Override
    public void close() throws IOException {
        try {
            if (hangs) {
                goOn();
            }
            run("umount", "--lazy", folder.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
