package io.holdfast.management.plane;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tokens by their hash. */
final class Tokens {
    /** So that scanners of repositories and logs recognise one. */
    static final String PREFIX = "hft_";

    private Tokens() {}

    static String hash(String token) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(sha.digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** The one with this text; null if there is none, or it has ended. */
    @Nullable
    static AccessToken find(Map<String, AccessToken> tokens, String text, Instant now) {
        byte[] hash = hash(text).getBytes(StandardCharsets.US_ASCII);
        AccessToken found = null;
        for (AccessToken token : tokens.values()) {
            // Every one is compared whole: time does not tell how near a guess was.
            if (MessageDigest.isEqual(token.hash().getBytes(StandardCharsets.US_ASCII), hash)) {
                found = token;
            }
        }
        return found != null && found.validAt(now) ? found : null;
    }
}
