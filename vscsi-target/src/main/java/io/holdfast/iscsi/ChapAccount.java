package io.holdfast.iscsi;

import java.util.Arrays;
import java.util.Optional;

/**
 * Who may log in with which secret (RFC 7143 §12.1). Never prints a secret.
 *
 * @see ChapAccounts
 */
public final class ChapAccount {
    private final String user;
    private final byte[] secret;
    private final Optional<String> initiatorName;
    private final String targetUser;
    private final byte[] targetSecret;

    /**
     * @param user CHAP_N of the initiator
     * @param secret what it proves to know
     * @param initiatorName the only initiator that may use it, in lower case; empty for any
     * @param targetUser CHAP_N of the target towards it
     * @param targetSecret what the target proves to know when it is asked (mutual CHAP); empty if it cannot
     */
    public ChapAccount(
            String user, byte[] secret, Optional<String> initiatorName, String targetUser, byte[] targetSecret) {
        this.user = user;
        this.secret = secret.clone();
        this.initiatorName = initiatorName;
        this.targetUser = targetUser;
        this.targetSecret = targetSecret.clone();
        if (Arrays.equals(secret, targetSecret)) {
            throw new IllegalArgumentException("CHAP account " + user + " has one secret for both directions");
        }
    }

    public String user() {
        return user;
    }

    byte[] secret() {
        return secret;
    }

    boolean mayBeUsedBy(String initiator) {
        return initiatorName.isEmpty() || initiatorName.get().equals(initiator);
    }

    String targetUser() {
        return targetUser;
    }

    /** True if the target can prove itself. */
    boolean isMutual() {
        return targetSecret.length > 0;
    }

    byte[] targetSecret() {
        return targetSecret;
    }

    @Override
    public String toString() {
        return "CHAP account " + user;
    }
}
