package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Golden lines as the guest says them, and lines it never says. */
class GuestLineTest {

    @Test
    void shouldReadEveryLineOfTheProtocol() {
        assertThat(GuestLine.parse("ready 2061053 writers=4 device=/dev/vda boot=b1"))
                .isEqualTo(new GuestLine.Ready(2061053, 4, "/dev/vda", "b1"));
        assertThat(GuestLine.parse("ack 3 343 7121932 8080")).isEqualTo(new GuestLine.Ack(3, 343, 7121932, 8080));
        assertThat(GuestLine.parse("error 1 17 5 fsync: Input/output error"))
                .isEqualTo(new GuestLine.WriteError(1, 17, 5, "fsync: Input/output error"));
        assertThat(GuestLine.parse("tick 2081053 1795171200000000"))
                .isEqualTo(new GuestLine.Tick(2081053, 1795171200000000L));
        assertThat(GuestLine.parse("kmsg 3 Buffer I/O error on dev vda, logical block 1"))
                .isEqualTo(new GuestLine.KernelMessage(3, "Buffer I/O error on dev vda, logical block 1"));
        assertThat(GuestLine.parse("stopped 0 498")).isEqualTo(new GuestLine.Stopped(0, 498));
        assertThat(GuestLine.parse("report errors=0 kmsg=2 remounted_ro=yes boot=b1"))
                .isEqualTo(new GuestLine.Summary(0, 2, true, "b1"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ack",
                "ack 1 2 3",
                "ack 1 2 3 4 5",
                "ack 1 -2 3 4",
                "ack one 2 3 4",
                "ack 64 1 1 1",
                "ack 99999999999999999999 1 1 1",
                "tick 1",
                "ready 1 writers=4",
                "ready 1 4 /dev/vda",
                "report errors=0 kmsg=0 remounted_ro=maybe boot=b1",
                "acktick 1 2",
                " ack 1 2 3 4"
            })
    void shouldKeepWhatIsNotOfTheProtocol(String line) {
        assertThat(GuestLine.parse(line)).isEqualTo(new GuestLine.Garbled(line));
    }
}
