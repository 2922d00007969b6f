package io.holdfast.agent.watch;

/**
 * How the agent proves itself to servers that ask for CHAP (RFC 7143 §12.1), and how they prove themselves to it. Never
 * prints a secret.
 */
public final class ChapCredentials {
    private final String user;
    private final byte[] secret;
    private final String serverUser;
    private final byte[] serverSecret;

    /**
     * @param user CHAP_N
     * @param secret what the agent knows
     * @param serverUser the server's CHAP_N, and
     * @param serverSecret what it must know (mutual CHAP); empty if it is not asked
     */
    public ChapCredentials(String user, byte[] secret, String serverUser, byte[] serverSecret) {
        this.user = user;
        this.secret = secret.clone();
        this.serverUser = serverUser;
        this.serverSecret = serverSecret.clone();
    }

    String user() {
        return user;
    }

    byte[] secret() {
        return secret;
    }

    /** True if the server has to prove itself. */
    boolean mutual() {
        return serverSecret.length > 0;
    }

    String serverUser() {
        return serverUser;
    }

    byte[] serverSecret() {
        return serverSecret;
    }

    @Override
    public String toString() {
        return "CHAP user " + user;
    }
}
