package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.qmp.IscsiDisk;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RedirectSafetyTest {
    private static final String OLD = "7f-7f r-xp 0 fe:00 1  /usr/lib/x86_64-linux-gnu/libiscsi.so.7.0.0\n";
    private static final String NEW = "7f-7f r-xp 0 fe:00 1  /usr/lib64/iscsi/libiscsi.so.11.0.3\n";

    @Test
    void shouldRelayWhenSeveralThreadsServeDisksOfAnOldLibiscsi() {
        RedirectSafety safety = RedirectSafety.judge(disks("io1", "io2"), OLD);

        assertThat(safety.relay()).isTrue();
        assertThat(safety.why()).contains("[io1, io2]", "libiscsi.so.7");
    }

    @Test
    void shouldRedirectWhenLibiscsiIsNewEnough() {
        assertThat(RedirectSafety.judge(disks("io1", "io2"), NEW).relay()).isFalse();
    }

    @Test
    void shouldRedirectWhenOneThreadServesAllDisks() {
        assertThat(RedirectSafety.judge(disks("io1", "io1"), OLD).relay()).isFalse();
        assertThat(RedirectSafety.judge(disks("main"), OLD).relay()).isFalse();
        assertThat(RedirectSafety.judge(List.of(), OLD).relay()).isFalse();
    }

    @Test
    void shouldTakeWhatItDoesNotKnowForUnsafe() {
        assertThat(RedirectSafety.judge(disks("io1", "main"), "").relay()).isTrue();
        assertThat(RedirectSafety.judge(disks(IscsiDisk.UNKNOWN_THREAD, IscsiDisk.UNKNOWN_THREAD), OLD)
                        .relay())
                .isTrue();
    }

    private static List<IscsiDisk> disks(String... threads) {
        return Stream.of(threads)
                .map(thread -> new IscsiDisk("n", "127.0.0.1:3270", "iqn.t:d", 0, "scsi-hd", thread, false))
                .toList();
    }
}
