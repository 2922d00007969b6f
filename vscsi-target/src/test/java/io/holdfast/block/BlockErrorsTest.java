package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockErrorsTest {

    @ParameterizedTest
    @CsvSource({
        "ENOSPC, NO_SPACE",
        "EDQUOT, NO_SPACE",
        "EIO, MEDIUM",
        "EUCLEAN, MEDIUM",
        "EROFS, READ_ONLY",
        "EOPNOTSUPP, UNSUPPORTED",
        "ENODEV, UNREACHABLE",
        "ESTALE, UNREACHABLE",
        "ENOMEM, UNREACHABLE"
    })
    void shouldJudgeByErrnoHoweverItArrives(Errno errno, BlockError.Kind kind) {
        assertThat(BlockErrors.kindOf(Linux.failure("x", -errno.number()))).isEqualTo(kind);
        assertThat(BlockErrors.kindOf(new IOException(errno.text()))).isEqualTo(kind);
    }

    @Test
    void shouldTakeWhatItDoesNotKnowForDamage() {
        assertThat(BlockErrors.kindOf(Linux.failure("x", -4242))).isEqualTo(BlockError.Kind.MEDIUM);
        assertThat(BlockErrors.kindOf(new IOException())).isEqualTo(BlockError.Kind.MEDIUM);
        assertThat(BlockErrors.kindOf(new EOFException("short"))).isEqualTo(BlockError.Kind.MEDIUM);
    }

    @Test
    void shouldTakeAClosedChannelForLostStorage() {
        assertThat(BlockErrors.of("read", new ClosedChannelException()))
                .isEqualTo(new BlockError(BlockError.Kind.UNREACHABLE, "read: the file is closed here"));
    }

    @Test
    void shouldSayWhatWasDoneAndWhatTheSystemSaid() {
        assertThat(BlockErrors.of("write 512 bytes at 0 of disk.img", Linux.failure("pwritev2", -28))
                        .detail())
                .isEqualTo("write 512 bytes at 0 of disk.img: pwritev2: No space left on device (ENOSPC)");
    }
}
