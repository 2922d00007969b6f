package io.holdfast.management.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class HostTest {
    /** The kernel hands out the rest of a sysctl to nobody who has asked for its first digit alone. */
    @Test
    void shouldReadAllDigitsOfASysctl() {
        String file = "proc/sys/kernel/pid_max";
        assertThat(new Host(Path.of("/")).number(file).orElseThrow())
                .as("at least 301 on every Linux")
                .isGreaterThanOrEqualTo(301);
    }

    @Test
    void shouldReadNothingWhereThereIsNothing() {
        assertThat(new Host(Path.of("/")).text("proc/sys/no/such/thing")).isEmpty();
    }
}
