package io.holdfast.management.plane;

/**
 * A client's CHAP secret. CHAP needs the secret itself, so it is kept, in a file only the server's user can read; it is in
 * no answer, event, log or audit record.
 *
 * @param client the client's id
 * @param revision the state's version that last changed it
 */
public record ClientSecret(int client, String secret, long revision) {
    @Override
    public String toString() {
        return "ClientSecret[client=" + client + "]";
    }
}
