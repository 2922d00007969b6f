package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code holdfast serve} says and which code it exits with when it cannot serve. */
@Timeout(60)
class ServeCommandTest {
    @TempDir
    private Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int serve(String... arguments) {
        List<String> all = new ArrayList<>(List.of("serve", "--listen", "127.0.0.1:0"));
        all.addAll(Arrays.asList(arguments));
        return run(all);
    }

    private int run(List<String> arguments) {
        return Main.run(arguments, new PrintWriter(out, true), new PrintWriter(err, true));
    }

    private void assertFailed(int code, String message) {
        assertThat(code).isEqualTo(ExitCode.FAILED);
        assertThat(err).hasToString("holdfast serve: " + message + "\n");
        assertThat(out.toString()).as("nothing is served").isEmpty();
    }

    private void assertUsage(int code, String message) {
        assertThat(code).isEqualTo(ExitCode.USAGE);
        assertThat(err).hasToString("holdfast serve: " + message + "\n");
    }

    private Path image(String name, int bytes) throws IOException {
        return Files.write(dir.resolve(name), new byte[bytes]);
    }

    // ------------------------------------------------------------------ images

    @Test
    void shouldSayThatAnImageIsMissing() {
        Path missing = dir.resolve("missing.img");
        assertFailed(
                serve("--export", missing.toString()),
                missing + " does not exist; correct the path, put it back, or give a size to have a new one created");
        assertThat(missing).doesNotExist();
    }

    @Test
    void shouldSayThatADirectoryOnTheWayIsMissing() {
        Path missing = dir.resolve("nowhere/disk.img");
        assertThat(serve("--export", missing + ",size=1M")).isEqualTo(ExitCode.FAILED);
        assertThat(err.toString()).startsWith("holdfast serve: " + missing).hasLineCount(1);
    }

    @Test
    void shouldRemoveTheImagesItCreatedWhenAnotherIsMissing() throws IOException {
        Path found = image("found.img", 512);
        Path created = dir.resolve("a.img");
        Path missing = dir.resolve("missing.img");
        assertFailed(
                serve("--export", found.toString(), "--export", created + ",size=1G", "--export", missing.toString()),
                missing + " does not exist; correct the path, put it back, or give a size to have a new one created");
        assertThat(created).doesNotExist();
        assertThat(found).exists();
    }

    @Test
    void shouldRemoveTheImagesItCreatedWhenAPortIsBusy() throws IOException {
        Path created = dir.resolve("a.img");
        Path state = dir.resolve("state");
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String[] arguments = {
                "--export",
                created + ",size=1M",
                "--state",
                state.toString(),
                "--control",
                "127.0.0.1:" + busy.getLocalPort()
            };
            assertThat(serve(arguments)).isEqualTo(ExitCode.FAILED);
        }
        assertThat(created).doesNotExist();
        assertThat(state.resolve("units.json")).content().doesNotContain("a.img");
    }

    @Test
    void shouldKeepTheIdentityOfADiskWhoseImageWasMissingWhenTheStartFailed() throws IOException {
        Path image = dir.resolve("disk.img");
        Path state = Files.createDirectory(dir.resolve("state"));
        String units = "{\"units\":{\"iqn.2026-11.io.holdfast:disk\":"
                + "{\"uuid\":\"c1d7a9c6-3f5e-4c68-9b35-1f6c0a1f8a11\",\"path\":\""
                + dir.toRealPath().resolve("disk.img")
                + "\"}}}";
        Files.writeString(state.resolve("units.json"), units);
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String[] arguments = {
                "--export",
                image + ",size=1M",
                "--state",
                state.toString(),
                "--control",
                "127.0.0.1:" + busy.getLocalPort()
            };
            assertThat(serve(arguments)).isEqualTo(ExitCode.FAILED);
        }
        assertThat(image).doesNotExist();
        assertThat(state.resolve("units.json")).content().contains("c1d7a9c6-3f5e-4c68-9b35-1f6c0a1f8a11");
    }

    @Test
    void shouldRemoveAnImageItCreatedUnderTheNameOfAnother() throws IOException {
        Path image = dir.resolve("disk.img");
        Path state = Files.createDirectory(dir.resolve("state"));
        Files.writeString(
                state.resolve("units.json"),
                "{\"units\":{\"iqn.2026-11.io.holdfast:disk\":"
                        + "{\"uuid\":\"c1d7a9c6-3f5e-4c68-9b35-1f6c0a1f8a11\",\"path\":\"/a/disk.img\"}}}");
        assertThat(serve("--export", image + ",size=1M", "--state", state.toString()))
                .isEqualTo(ExitCode.FAILED);
        assertThat(image).doesNotExist();
    }

    @Test
    void shouldSayThatAnImageIsEmpty() throws IOException {
        Path empty = image("empty.img", 0);
        assertFailed(
                serve("--export", empty.toString()),
                empty + " is empty (0 bytes); give it a size first, such as: truncate -s 10G " + empty);
    }

    @Test
    void shouldSayThatAnImageHasAnOddSizeAndHowToMendIt() throws IOException {
        Path odd = image("odd.img", 1000);
        assertFailed(
                serve("--export", odd.toString()),
                odd + " has 1000 bytes, which is not a multiple of 512; fill it up with: truncate -s %512 " + odd);
        assertThat(odd).hasSize(1000);
    }

    @Test
    void shouldSayThatAnImageIsADirectory() {
        assertFailed(
                serve("--export", dir.toString() + ",name=x"),
                dir + " is a directory; name an image file or a block device");
    }

    @Test
    void shouldSayThatAnImageIsExportedTwice() throws IOException {
        Path image = image("twice.img", 512);
        assertFailed(
                serve("--export", image.toString(), "--export", image + ",name=other"),
                image + " is exported already; export it once");
    }

    @Test
    void shouldSayThatAnImageHasAnotherSizeThanAskedFor() throws IOException {
        Path image = image("sized.img", 512);
        assertFailed(
                serve("--export", image + ",size=1K"),
                image + " has 512 bytes and not the 1024 asked for; leave the size out to take it as it is");
    }

    // ------------------------------------------------------------------ addresses

    @Test
    void shouldSayThatAPortIsBusyAndLeaveTheImageFree() throws IOException {
        Path image = image("disk.img", 512);
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + busy.getLocalPort();
            int code = run(List.of("serve", "--listen", address, "--export", image.toString()));
            assertFailed(code, "cannot listen on " + address + ": another program uses it ('ss -tanp' tells which)");
        }
        assertThat(serve("--export", image.toString(), "--control", "192.0.2.1:1"))
                .as("fails at the agents' address, so the image could be opened again")
                .isEqualTo(ExitCode.FAILED);
        assertThat(err.toString().lines().toList().get(1)).contains("192.0.2.1:1");
    }

    @Test
    void shouldSayThatAnAddressIsNotThisMachines() throws IOException {
        Path image = image("disk.img", 512);
        assertFailed(
                run(List.of("serve", "--listen", "192.0.2.1:3260", "--export", image.toString())),
                "cannot listen on 192.0.2.1:3260: this machine does not have the address");
    }

    // ------------------------------------------------------------------ usage

    @Test
    void shouldSayThatThereIsNothingToServe() {
        assertUsage(
                serve(),
                "nothing to serve: give --export PATH, or [[export]] in the configuration file; or"
                        + " --state DIR, and create LUs with 'holdfast lu create'");
    }

    @Test
    void shouldSayThatTwoImagesHaveOneName() {
        assertUsage(
                serve("--export", "/a/x.img", "--export", "/b/x.img"),
                "exports '/a/x.img' and '/b/x.img' both have the name 'x'; give one of them another with name=");
    }

    @Test
    void shouldSayWhereTheConfigurationIsWrong() throws IOException {
        Path file = Files.writeString(dir.resolve("h.toml"), "io = \"ring\"\nio-threads = 99\n");
        assertUsage(serve("--config", file.toString()), file + ", line 2: io-threads '99' is not a number in 1..64");
    }

    @Test
    void shouldLetOptionsOverrideTheFile() throws IOException {
        Path file = Files.writeString(
                dir.resolve("h.toml"), "listen = \"192.0.2.1:1\"\n[[export]]\npath = \"/does/not/exist\"\n");
        assertFailed(
                serve("--config", file.toString()),
                "/does/not/exist does not exist; correct the path, put it back, or give a size to have a new one created");
    }

    @ParameterizedTest
    @CsvSource({"--export", "--exprot x", "--io fast --export x", "stray"})
    void shouldExitWithTwoWhenTheCommandLineIsWrong(String arguments) {
        assertThat(serve(arguments.split(" "))).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).startsWith("holdfast").doesNotContain("Exception");
    }

    @Test
    void shouldExitWithTwoWithoutACommandOrWithAnUnknownOne() {
        assertThat(run(List.of())).isEqualTo(ExitCode.USAGE);
        assertThat(run(List.of("sreve"))).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void shouldHelpAndTellItsVersion() {
        assertThat(run(List.of("--help"))).isEqualTo(ExitCode.OK);
        assertThat(run(List.of("serve", "--help"))).isEqualTo(ExitCode.OK);
        assertThat(run(List.of("--version"))).isEqualTo(ExitCode.OK);
        assertThat(out.toString()).contains("--export", "--listen", "holdfast ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "-V", "serve --version", "serve -V", "agent --version", "agent -V"})
    void shouldTellItsVersionWhereverItIsAsked(String arguments) {
        assertThat(run(List.of(arguments.split(" ")))).isEqualTo(ExitCode.OK);
        assertThat(out.toString()).startsWith("holdfast ").hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1000", "10GB", "1.5", "-1", "lots"})
    void shouldExitWithTwoWhenASizeIsWrong(String size) {
        assertThat(serve("--export", dir.resolve("a.img") + ",size=" + size)).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("size '" + size + "'").hasLineCount(1);
        assertThat(dir.resolve("a.img")).doesNotExist();
    }

    // ------------------------------------------------------------------ state

    @Test
    void shouldNotServeADiskWithoutItsReservations() throws IOException {
        Path image = image("disk.img", 1 << 20).toRealPath();
        String uuid = "0192f0c4-7a3b-4c5d-9e6f-0123456789ab";
        Path state = Files.createDirectory(dir.resolve("state"));
        Files.writeString(
                state.resolve("units.json"),
                String.format(
                        "{\"units\": {\"iqn.2026-11.io.holdfast:disk\": {\"uuid\": \"%s\", \"path\": \"%s\"}}}",
                        uuid, image));
        Path file = Files.createDirectory(state.resolve("reservations")).resolve(uuid + ".reservations");
        Files.writeString(file, "holdfast-reservations 1\nunit " + uuid + "\ngenera");

        int code = serve("--state", state.toString(), "--export", image.toString());

        assertFailed(
                code,
                "reservations " + file + " cannot be used: its checksum does not match: it is torn, or was changed;"
                        + " restore it, or remove it and nobody holds a reservation of that disk any more");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{broken",
                "",
                "{}",
                "null",
                "[]",
                "{\"units\":null}",
                "{\"units\":{\"iqn.x:y\":null}}",
                "{\"units\":{\"iqn.x:y\":{\"uuid\":\"c1d7a9c6-3f5e-4c68-9b35-1f6c0a1f8a11\"}}}",
                "{\"units\":{\"iqn.x:y\":{\"path\":\"/a\"}}}",
                "{\"units\":{\"iqn.x:y\":{\"uuid\":\"u\",\"path\":\"/a\"}}}",
                "{\"units\":{\"iqn.x:y\":{\"uid\":\"u\"}}}",
                "{\"units\":{}} {}"
            })
    void shouldSayThatTheStateIsDamagedAndChangeNothing(String json) throws IOException {
        Path image = image("disk.img", 512);
        Path state = Files.createDirectory(dir.resolve("state"));
        Files.writeString(state.resolve("units.json"), json);
        assertThat(serve("--export", image.toString(), "--state", state.toString()))
                .isEqualTo(ExitCode.FAILED);
        assertThat(err.toString())
                .startsWith("holdfast serve: " + state.resolve("units.json") + " is damaged: ")
                .endsWith("; restore it, or remove it and every disk gets a new identity\n")
                .hasLineCount(1);
        assertThat(state.resolve("units.json")).hasContent(json);
    }

    @Test
    void shouldRefuseAnotherImageUnderTheSameNameAndLeaveItFree() throws IOException {
        Path image = image("disk.img", 512);
        Path state = Files.createDirectory(dir.resolve("state"));
        Files.writeString(
                state.resolve("units.json"),
                "{\"units\":{\"iqn.2026-11.io.holdfast:disk\":"
                        + "{\"uuid\":\"c1d7a9c6-3f5e-4c68-9b35-1f6c0a1f8a11\",\"path\":\"/a/disk.img\"}}}");
        String[] arguments = {"--export", image.toString(), "--state", state.toString()};
        String message = "holdfast serve: iqn.2026-11.io.holdfast:disk was /a/disk.img and is now " + image
                + ": VMs would go on with another disk; give the export another name, or, if the image was moved, "
                + "correct its path in " + state.resolve("units.json") + "\n";
        assertThat(serve(arguments)).isEqualTo(ExitCode.FAILED);
        assertThat(serve(arguments)).as("image and state are free again").isEqualTo(ExitCode.FAILED);
        assertThat(err).hasToString(message + message);
    }

    @Test
    void shouldSayWhyTheStateDirectoryCannotBeMade() throws IOException {
        Path image = image("disk.img", 512);
        assertFailed(
                serve("--export", image.toString(), "--state", "/proc/holdfast"),
                "state directory /proc/holdfast cannot be made: no such file or directory");
    }

    @Test
    void shouldSayInWordsThatTheControlPortIsBusy() throws IOException {
        Path image = image("disk.img", 512);
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + busy.getLocalPort();
            assertFailed(
                    serve("--export", image.toString(), "--control", address),
                    "control port: cannot listen on " + address + ": another program uses it ('ss -tanp' tells which)");
        }
    }

    @Test
    void shouldSayThatTheStateDirectoryIsAFile() throws IOException {
        Path image = image("disk.img", 512);
        assertFailed(
                serve("--export", image.toString(), "--state", image.toString()),
                "state directory " + image + " is a file; name a directory");
    }
}
