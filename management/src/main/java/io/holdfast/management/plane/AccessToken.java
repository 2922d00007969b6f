package io.holdfast.management.plane;

import io.holdfast.control.operator.Role;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A token for remote use.
 *
 * @param hash SHA-256 of the token, in hexadecimal digits. Not a slow hash: the token is 256 random bits, nobody guesses it
 * @param expires null for never
 * @param revision the state's version that last changed it
 */
public record AccessToken(
        String name,
        Role role,
        String hash,
        Instant created,
        @Nullable Instant expires,
        long revision) {
    boolean validAt(Instant now) {
        return expires == null || now.isBefore(expires);
    }
}
