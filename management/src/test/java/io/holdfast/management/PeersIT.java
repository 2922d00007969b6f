package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The real server and the real initiators: libiscsi's tools and QEMU's block layer. */
class PeersIT {
    @TempDir
    private Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"ring", "portable"})
    void shouldBeDiscoveredAndIdentified(String io) throws Exception {
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        try (ServeProcess server = ServeProcess.start(
                dir,
                "--io",
                io,
                "--export",
                dir.resolve("one.img") + ",size=256M",
                "--export",
                dir.resolve("two.img") + ",size=1G")) {
            Tool list = Tool.run("iscsi-ls", "-s", server.portalUrl()).succeeded();
            assertThat(list.output())
                    .contains("Target:iqn.2026-11.io.holdfast:one Portal:127.0.0.1:" + server.port() + ",1")
                    .contains("Target:iqn.2026-11.io.holdfast:two")
                    .contains("Lun:0    Type:DIRECT_ACCESS (Size:255M)")
                    .contains("(Size:1023M)");
            Tool inquiry = Tool.run("iscsi-inq", server.url()).succeeded();
            assertThat(inquiry.output()).contains("Vendor:HOLDFAST").contains("Product:VIRTUAL DISK");
        }
    }

    @Test
    void shouldBeDiscoveredThroughEachPortGroupWithAllOfThem() throws Exception {
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        try (ServeProcess server = ServeProcess.start(
                dir, "--listen", "127.0.0.1:0,group=7", "--export", dir.resolve("one.img") + ",size=1M")) {
            assertThat(server.urls()).hasSize(2);
            List<String> portals = server.urls().stream()
                    .map(url -> url.replaceAll("/iqn.*", "").substring("iscsi://".length()))
                    .toList();
            for (String portal : portals) {
                Tool list = Tool.run("iscsi-ls", "iscsi://" + portal).succeeded();
                assertThat(list.output())
                        .contains("Portal:" + portals.get(0) + ",1")
                        .contains("Portal:" + portals.get(1) + ",7");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ring", "portable"})
    void shouldServeQemuVerified(String io) throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        Path image = dir.resolve("disk.img");
        try (ServeProcess server = ServeProcess.start(dir, "--io", io, "--export", image + ",size=256M")) {
            Tool.qemuIo(
                            server.url(),
                            "write -P 0x11 0 512",
                            "write -P 0x22 512 8M",
                            "write -f -P 0x33 100M 1M",
                            "flush",
                            "read -P 0x11 0 512",
                            "read -P 0x22 512 8M",
                            "read -P 0x33 100M 1M",
                            "read -P 0 200M 16M",
                            "aio_write -P 0x44 10M 64k",
                            "aio_write -P 0x55 11M 64k",
                            "aio_flush",
                            "read -P 0x44 10M 64k",
                            "read -P 0x55 11M 64k",
                            "discard 512 8M",
                            "read -P 0 1M 4M",
                            "write -z 100M 512k",
                            "read -P 0 100M 512k",
                            "read -P 0x33 102912k 512k")
                    .succeeded();
            Tool info = Tool.run("qemu-img", "info", server.url()).succeeded();
            assertThat(info.output()).contains("virtual size: 256 MiB (268435456 bytes)");
        }
        assertThat(Files.size(image)).isEqualTo(256L << 20);
    }

    @Test
    void shouldAskEveryLoginForItsSecret() throws Exception {
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        Path accounts = Files.writeString(
                dir.resolve("chap.toml"), "[[account]]\nuser = 'web1'\nsecret = 'swordfish-and-chips'\n");
        Files.setPosixFilePermissions(accounts, PosixFilePermissions.fromString("rw-------"));
        try (ServeProcess server = ServeProcess.start(
                dir, "--chap-file", accounts.toString(), "--export", dir.resolve("one.img") + ",size=16M")) {
            String right = server.url().replace("iscsi://", "iscsi://web1%swordfish-and-chips@");
            Tool inquiry = Tool.run("iscsi-inq", right).succeeded();
            assertThat(inquiry.output()).contains("Vendor:HOLDFAST");
            Tool list = Tool.run(
                            "iscsi-ls", server.portalUrl().replace("iscsi://", "iscsi://web1%swordfish-and-chips@"))
                    .succeeded();
            assertThat(list.output()).contains("Target:iqn.2026-11.io.holdfast:one");
            for (String user : List.of("", "web1%swordfish-and-crisps@", "web2%swordfish-and-chips@")) {
                Tool refused = Tool.run("iscsi-inq", server.url().replace("iscsi://", "iscsi://" + user));
                assertThat(refused.exitCode()).as(refused.output()).isNotZero();
                assertThat(refused.output()).contains("Authentication failure");
            }
            assertThat(server.log()).doesNotContain("swordfish");
        }
    }

    @Test
    void shouldLetNobodyWriteWhatIsExportedReadOnly() throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        Path image = Files.write(dir.resolve("ro.img"), new byte[1 << 20]);
        try (ServeProcess server = ServeProcess.start(dir, "--export", image + ",ro")) {
            Tool write = Tool.qemuIo(server.url(), "write -P 1 0 512");
            assertThat(write.exitCode()).isNotZero();
            Tool.run("qemu-io", "-r", "-f", "raw", "-c", "read -P 0 0 1M", server.url())
                    .succeeded();
        }
        assertThat(Files.readAllBytes(image)).containsOnly(0);
    }

    @Test
    void shouldStopAsAskedAndFreeTheImage() throws Exception {
        Path image = dir.resolve("disk.img");
        try (ServeProcess server = ServeProcess.start(dir, "--export", image + ",size=1M")) {
            assertThat(server.stop()).as("128 + SIGTERM").isEqualTo(143);
            assertThat(server.log()).contains("stopped");
        }
        try (ServeProcess again = ServeProcess.start(dir, "--export", image.toString())) {
            assertThat(again.urls()).hasSize(1);
        }
    }
}
