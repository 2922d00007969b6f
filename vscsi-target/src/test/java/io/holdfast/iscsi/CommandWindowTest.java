package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandWindowTest {
    private static final int LIMIT = 4;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff})
    void shouldTakeCommandsInOrderAcrossTheEndOfTheNumbers(int first) {
        CommandWindow window = new CommandWindow(first, LIMIT);
        for (int i = 0; i < 100; i++) {
            assertThat(window.accept(first + i)).isEqualTo(CommandWindow.Verdict.NEXT);
            assertThat(window.expCmdSn()).isEqualTo(first + i + 1);
            window.ended();
            assertThat(window.maxCmdSn() - window.expCmdSn()).isEqualTo(LIMIT - 1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x7fff_fffd, 0xffff_fffd})
    void shouldCloseWhenAsManyCommandsAreHereAsItHoldsAndOpenWhenOneEnds(int first) {
        CommandWindow window = new CommandWindow(first, LIMIT);
        for (int i = 0; i < LIMIT; i++) {
            assertThat(window.accept(first + i)).isEqualTo(CommandWindow.Verdict.NEXT);
        }
        assertThat(window.maxCmdSn()).as("closed").isEqualTo(window.expCmdSn() - 1);
        assertThat(window.accept(first + LIMIT)).isEqualTo(CommandWindow.Verdict.IGNORE);
        window.ended();
        assertThat(window.maxCmdSn()).isEqualTo(window.expCmdSn());
        assertThat(window.accept(first + LIMIT)).isEqualTo(CommandWindow.Verdict.NEXT);
        assertThat(window.accept(first + LIMIT + 1)).isEqualTo(CommandWindow.Verdict.IGNORE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 0xffff_ffff, 0x7fff_ffff})
    void shouldIgnoreWhatWasSeenBeforeAndWhatIsBeyondTheWindow(int first) {
        CommandWindow window = new CommandWindow(first, LIMIT);
        assertThat(window.accept(first - 1)).isEqualTo(CommandWindow.Verdict.IGNORE);
        assertThat(window.accept(first + LIMIT)).isEqualTo(CommandWindow.Verdict.IGNORE);
        assertThat(window.accept(first + 0x7000_0000)).isEqualTo(CommandWindow.Verdict.IGNORE);
        assertThat(window.expCmdSn()).isEqualTo(first);
    }

    @Test
    void shouldTellEarlyFromDuplicate() {
        CommandWindow window = new CommandWindow(0xffff_ffff, LIMIT);
        assertThat(window.accept(0)).isEqualTo(CommandWindow.Verdict.EARLY);
        assertThat(window.accept(2)).isEqualTo(CommandWindow.Verdict.EARLY);
        assertThat(window.expCmdSn()).as("an early one changes nothing").isEqualTo(0xffff_ffff);
    }
}
