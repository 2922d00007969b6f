package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a proc(5) and a cgroup made by hand. That memory really goes back, a drill shows. */
class MemoryReclaimTest {
    private static final int PID = (int) ProcessHandle.current().pid();
    private static final String RAM = "7f0000000000-7f0008000000 rw-s 00000000 %s 77                        %s";

    @TempDir
    private Path root = Path.of("");

    private MemoryReclaim reclaim(String maps, String mountinfo, String swaps) throws IOException {
        write("proc/" + PID + "/maps", maps + "\n");
        write("proc/" + PID + "/mountinfo", mountinfo + "\n");
        write("proc/" + PID + "/status", "Name:\tqemu\nVmRSS:\t  204800 kB\n");
        write("proc/swaps", "Filename Type Size Used Priority\n" + swaps);
        Files.createDirectories(root.resolve("proc/" + PID + "/fd"));
        return new MemoryReclaim(root.resolve("proc"), root.resolve("cgroup"));
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    @Test
    void shouldFindTheLargeSharedMappingsOfFiles() {
        List<MemoryReclaim.Range> ranges = MemoryReclaim.sharedRanges(List.of(
                "7f0000000000-7f0008000000 rw-s 00000000 fe:01 77                        /var/tmp/web1.ram",
                "7f1000000000-7f1008000000 rw-p 00000000 fe:01 78                        /var/tmp/private.ram",
                "7f2000000000-7f2008000000 rw-p 00000000 00:00 0 ",
                "7f3000000000-7f3000001000 rw-s 00000000 fe:01 79                        /var/tmp/small",
                "7f4000000000-7f4008000000 r--s 00000000 fe:01 80                        /usr/lib/large.so"));

        assertThat(ranges)
                .containsExactly(
                        new MemoryReclaim.Range(0x7f0000000000L, 128L << 20, "fe:01", 77, "/var/tmp/web1.ram"));
    }

    @Test
    void shouldSayWhatToGiveQemuWhenItsMemoryIsNoFile() throws IOException {
        MemoryReclaim.Outcome outcome = reclaim("7f2000000000-7f2008000000 rw-p 00000000 00:00 0", "", "")
                .of(PID);

        assertThat(outcome.problem()).contains("memory-backend-file,share=on");
        assertThat(outcome.residentBeforeBytes()).isEqualTo(200L << 20);
    }

    @Test
    void shouldRefuseMemoryInTmpfsWithoutSwap() throws IOException {
        String mounts = "31 28 0:26 / /dev/shm rw,nosuid - tmpfs tmpfs rw";

        assertThat(reclaim(String.format(RAM, "00:1a", "/dev/shm/web1.ram"), mounts, "")
                        .of(PID)
                        .problem())
                .contains("/dev/shm/web1.ram, a tmpfs")
                .contains("no swap");
        assertThat(reclaim(String.format(RAM, "00:1a", "/dev/shm/web1.ram"), mounts, "/dev/sdb2 partition 1 0 -2\n")
                        .of(PID)
                        .problem())
                .as("with swap it is tried, and this one has no such file")
                .doesNotContain("no swap");
    }

    @Test
    void shouldRefuseAMemfdWithoutSwapAndHugePagesInAnyCase() throws IOException {
        assertThat(reclaim(String.format(RAM, "00:01", "/memfd:ram (deleted)"), "", "")
                        .of(PID)
                        .problem())
                .contains("memfd")
                .contains("no swap");
        assertThat(reclaim(
                                String.format(RAM, "00:1b", "/dev/hugepages/web1.ram"),
                                "32 28 0:27 / /dev/hugepages rw - hugetlbfs hugetlbfs rw",
                                "/dev/sdb2 partition 1 0 -2\n")
                        .of(PID)
                        .problem())
                .contains("huge pages are not paged out");
    }

    @Test
    void shouldReclaimACgroupThatIsTheProcesssAlone() throws IOException {
        MemoryReclaim reclaim = reclaim("", "", "");
        write("proc/" + PID + "/cgroup", "0::/machine/web1\n");
        write("cgroup/machine/web1/cgroup.procs", PID + "\n");
        write("cgroup/machine/web1/memory.reclaim", "");

        MemoryReclaim.Outcome outcome = reclaim.of(PID);

        assertThat(outcome.problem()).isEmpty();
        assertThat(root.resolve("cgroup/machine/web1/memory.reclaim")).hasContent(Long.toString(200L << 20));
    }

    @Test
    void shouldLeaveACgroupAloneThatOthersAreInToo() throws IOException {
        MemoryReclaim reclaim = reclaim("", "", "");
        write("proc/" + PID + "/cgroup", "0::/machine\n");
        write("cgroup/machine/cgroup.procs", PID + "\n1\n");
        write("cgroup/machine/memory.reclaim", "");

        assertThat(reclaim.ownCgroup(PID)).isEmpty();
    }
}
