package io.holdfast.drills;

import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * Who the initiator guest and its server are to each other. Made anew for each run: nothing secret is in the checkout.
 *
 * @param user the initiator's
 * @param password the initiator's
 * @param targetUser the server's, for mutual CHAP
 * @param targetPassword the server's
 */
record ChapSecrets(String user, String password, String targetUser, String targetPassword) {
    private static final int SECRET_BYTES = 8;

    static ChapSecrets random() {
        return new ChapSecrets("guest", secret(), "holdfast", secret());
    }

    private static String secret() {
        byte[] bytes = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** As the server's file of accounts. */
    String toToml() {
        return """
                [[account]]
                user = "%s"
                secret = "%s"
                target-user = "%s"
                target-secret = "%s"
                """.formatted(user, password, targetUser, targetPassword);
    }
}
