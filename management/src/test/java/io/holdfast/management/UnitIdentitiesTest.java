package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.management.UnitIdentities.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnitIdentitiesTest {
    private static final String NAME = "iqn.2026-11.io.holdfast:web1";

    @TempDir
    private Path dir;

    @Test
    void shouldKeepTheIdentityOfAnImageThatWasFound() throws IOException {
        UUID first = withState(Image.CREATED);

        assertThat(withState(Image.FOUND)).isEqualTo(first);
    }

    @Test
    void shouldGiveANewIdentityToAnImageThatHadToBeCreatedAgain() throws IOException {
        UUID first = withState(Image.CREATED);

        UUID second = withState(Image.CREATED);

        assertThat(second).isNotEqualTo(first);
        assertThat(withState(Image.FOUND)).as("and keep that").isEqualTo(second);
    }

    @Test
    void shouldTellAnotherFileAtTheSamePathApartWithoutAState() throws IOException {
        Path image = Files.write(dir.resolve("web1.img"), new byte[512]);
        UUID first = UnitIdentities.load(Optional.empty()).of(NAME, image, Image.FOUND);
        assertThat(UnitIdentities.load(Optional.empty()).of(NAME, image, Image.FOUND))
                .isEqualTo(first);

        // Both exist at the same time, so that the inode cannot be used again.
        Files.move(image, dir.resolve("old.img"));
        Files.write(image, new byte[512]);

        assertThat(UnitIdentities.load(Optional.empty()).of(NAME, image, Image.CREATED))
                .isNotEqualTo(first);
    }

    private UUID withState(Image image) throws IOException {
        Path path = Files.write(dir.resolve("web1.img"), new byte[512]);
        UnitIdentities identities = UnitIdentities.load(Optional.of(dir.resolve("state")));
        UUID uuid = identities.of(NAME, path, image);
        identities.save();
        return uuid;
    }
}
