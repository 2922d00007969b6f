package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What happens to an image while it is served, as initiators see it. */
class StorageIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final long MIB = 1 << 20;

    @TempDir
    private Path dir;

    @ParameterizedTest
    @CsvSource({
        "ring,direct",
        "portable,direct",
        "portable,cache=writethrough",
        "portable,preallocate",
        "portable,block-size=4096"
    })
    void shouldServeVerifiedWithEveryAttribute(String io, String attribute) throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        Path image = dir.resolve("disk.img");
        try (ServeProcess server = ServeProcess.start(dir, "--io", io, "--export", image + ",size=64M," + attribute)) {
            Tool.qemuIo(
                            server.url(),
                            "write -P 0x11 0 512",
                            "write -P 0x22 512 8M",
                            "write -f -P 0x33 16M 1M",
                            "flush",
                            "write -P 0x44 1536 512",
                            "read -P 0x11 0 512",
                            "read -P 0x22 512 1k",
                            "read -P 0x44 1536 512",
                            "read -P 0x22 2k 8387072",
                            "read -P 0x33 16M 1M",
                            "write -z 16M 512k",
                            "read -P 0 16M 512k",
                            "read -P 0x33 16896k 512k")
                    .succeeded();
        }
    }

    @Test
    void shouldTellInitiatorsOfAnImageThatHasGrown() throws Exception {
        Tool.assumeInstalled("iscsi-readcapacity16", "libiscsi-bin");
        Path image = dir.resolve("disk.img");
        try (ServeProcess server = ServeProcess.start(dir, "--export", image + ",size=4M")) {
            assertThat(capacity(server)).contains("RETURNED LOGICAL BLOCK ADDRESS:8191");
            resize(image, 8 * MIB);
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(capacity(server)).contains("RETURNED LOGICAL BLOCK ADDRESS:16383"));
            Tool.qemuIo(server.url(), "write -P 7 7M 64k", "read -P 7 7M 64k").succeeded();
        }
    }

    private static String capacity(ServeProcess server) throws Exception {
        return Tool.run("iscsi-readcapacity16", server.url()).output();
    }

    @Test
    void shouldNotServeAnImageThatWasMovedUntilItIsBack() throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        Path image = dir.resolve("disk.img");
        try (ServeProcess server = ServeProcess.start(dir, "--export", image + ",size=4M")) {
            Tool.qemuIo(server.url(), "write -P 7 0 64k").succeeded();
            Files.move(image, dir.resolve("moved.img"));
            server.awaitLog("ERROR .*is not there any more", 1);
            assertThat(Tool.run("qemu-io", "-f", "raw", "-c", "read 0 512", server.url())
                            .output())
                    .doesNotContain("read 512/512");
            Files.move(dir.resolve("moved.img"), image);
            server.awaitLog("is back and served again", 1);
            Tool.qemuIo(server.url(), "read -P 7 0 64k").succeeded();
        }
    }

    private static void resize(Path image, long sizeBytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
    }
}
