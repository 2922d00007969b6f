package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        UUID first = UnitIdentities.load(Optional.empty()).of(NAME, image, Image.FOUND, 512);
        assertThat(UnitIdentities.load(Optional.empty()).of(NAME, image, Image.FOUND, 512))
                .isEqualTo(first);

        // Both exist at the same time, so that the inode cannot be used again.
        Files.move(image, dir.resolve("old.img"));
        Files.write(image, new byte[512]);

        assertThat(UnitIdentities.load(Optional.empty()).of(NAME, image, Image.CREATED, 512))
                .isNotEqualTo(first);
    }

    @Test
    void shouldRefuseAnotherImageUnderAKnownName() throws IOException {
        UUID first = withState(Image.CREATED);
        Path other = Files.write(dir.resolve("other.img"), new byte[512]);

        for (Image image : Image.values()) {
            try (UnitIdentities identities = UnitIdentities.load(Optional.of(dir.resolve("state")))) {
                assertThatThrownBy(() -> identities.of(NAME, other, image, 512))
                        .isInstanceOf(IOException.class)
                        .message()
                        .startsWith(NAME + " was " + dir.resolve("web1.img") + " and is now " + other)
                        .endsWith("correct its path in " + dir.resolve("state/units.json"))
                        .hasLineCount(1);
            }
        }
        assertThat(withState(Image.FOUND)).isEqualTo(first);
    }

    @Test
    void shouldKnowAnImageByItsRealPath() throws IOException {
        UUID first = withState(Image.CREATED);
        Path link = Files.createSymbolicLink(dir.resolve("link.img"), dir.resolve("web1.img"));

        try (UnitIdentities identities = UnitIdentities.load(Optional.of(dir.resolve("state")))) {
            assertThat(identities.of(NAME, link, Image.FOUND, 512)).isEqualTo(first);
        }
    }

    @Test
    void shouldLetOnlyOneServerUseAStateDirectory() throws IOException {
        Optional<Path> state = Optional.of(dir.resolve("state"));
        try (UnitIdentities held = UnitIdentities.load(state)) {
            assertThat(held).isNotNull();
            assertThatThrownBy(() -> UnitIdentities.load(state))
                    .isInstanceOf(IOException.class)
                    .hasMessage("state directory " + dir.resolve("state")
                            + " is in use by another server; stop that first, or give each a directory of its own");
        }
        UnitIdentities.load(state).close();
    }

    @Test
    void shouldRefuseBlocksOfAnotherLength() throws IOException {
        Path image = Files.write(dir.resolve("web1.img"), new byte[4096]);
        try (UnitIdentities identities = UnitIdentities.load(Optional.of(dir.resolve("state")))) {
            identities.of(NAME, image, Image.FOUND, 4096);
            identities.save();
        }

        try (UnitIdentities identities = UnitIdentities.load(Optional.of(dir.resolve("state")))) {
            assertThatThrownBy(() -> identities.of(NAME, image, Image.FOUND, 512))
                    .hasMessageStartingWith(NAME + " has blocks of 4096 bytes and cannot have 512");
            assertThat(identities.of(NAME, image, Image.CREATED, 512))
                    .as("another disk")
                    .isNotNull();
        }
    }

    @Test
    void shouldBeAnotherDiskInOtherBlocksWithoutAState() throws IOException {
        Path image = Files.write(dir.resolve("web1.img"), new byte[4096]);
        UnitIdentities identities = UnitIdentities.load(Optional.empty());

        assertThat(identities.of(NAME, image, Image.FOUND, 4096))
                .isNotEqualTo(identities.of(NAME, image, Image.FOUND, 512));
    }

    private UUID withState(Image image) throws IOException {
        Path path = Files.write(dir.resolve("web1.img"), new byte[512]);
        try (UnitIdentities identities = UnitIdentities.load(Optional.of(dir.resolve("state")))) {
            UUID uuid = identities.of(NAME, path, image, 512);
            identities.save();
            return uuid;
        }
    }
}
