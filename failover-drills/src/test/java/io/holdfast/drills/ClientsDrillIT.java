package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.testimages.GuestImages;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three guests, so that it takes a minute and not five; {@code scripts/clients.sh} does it with ten. */
@Timeout(600)
class ClientsDrillIT {
    @TempDir
    Path work;

    @Test
    void shouldKeepClientsApartAndDisturbNobody() throws Exception {
        Path checkout = Path.of(System.getProperty("holdfast.checkout", "..")).toAbsolutePath();
        ClientsDrill.Result result = new ClientsDrill(
                        new ClientsDrill.Setting(checkout, work, 3, 2, GuestImages.build(), System.out::println))
                .run();

        assertThat(result.problems()).isEmpty();
        assertThat(result.forgeriesRefused()).isEqualTo(6);
        assertThat(result.changes()).isEqualTo(18);
    }
}
