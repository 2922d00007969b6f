package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.linux.Errno;
import io.holdfast.linux.LinuxException;
import java.io.EOFException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TransferredTest {
    @Test
    void shouldTellHowManyBytesThereWere() throws IOException {
        assertThat(Transferred.read("preadv2", 512, 0)).isEqualTo(512);
        assertThat(Transferred.written("pwritev2", 512, 0)).isEqualTo(512);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1})
    void shouldTakeAReadOfNothingForTheEndOfTheFile(long nothing) {
        assertThatThrownBy(() -> Transferred.read("preadv2", nothing, 8192))
                .isInstanceOf(EOFException.class)
                .hasMessage("the file ends at 8192, it has been cut short");
    }

    @Test
    void shouldNotCallAWriteThatTookNothingAnEndOfTheFileNorASuccess() {
        assertThatThrownBy(() -> Transferred.written("pwritev2", 0, 8192))
                .isInstanceOf(EOFException.class)
                .hasMessage("pwritev2 takes not a byte at 8192");
    }

    @Test
    void shouldKeepTheErrnoOfAFailure() {
        assertThatThrownBy(() -> Transferred.written("pwritev2", -Errno.ENOSPC.number(), 0))
                .isInstanceOfSatisfying(
                        LinuxException.class,
                        e -> assertThat(e.is(Errno.ENOSPC)).isTrue());
        assertThatThrownBy(() -> Transferred.read("preadv2", -Errno.EIO.number(), 0))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.is(Errno.EIO)).isTrue());
    }
}
