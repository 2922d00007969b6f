package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.operator.CommandError;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.npiv.Refusal;
import java.util.List;
import org.junit.jupiter.api.Test;

class RejectionTest {
    @Test
    void shouldSayWhatToDoAboutWhatIsInUse() {
        CommandError error =
                Rejection.of(new Refusal.InUse("LU db1", List.of("web1"))).error();

        assertThat(error)
                .isEqualTo(new CommandError(
                        ErrorCode.IN_USE, "LU db1 is in use by web1", "remove or unassign that first"));
    }
}
