package io.holdfast.iscsi.wire;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/** The hashes of CHAP by their number in CHAP_A (RFC 7143 §12.1.3, and IANA's PPP authentication algorithms). */
public enum ChapAlgorithm {
    MD5(5, "MD5"),
    SHA1(6, "SHA-1"),
    SHA256(7, "SHA-256"),
    SHA3_256(8, "SHA3-256");

    private final int number;
    private final String hash;

    ChapAlgorithm(int number, String hash) {
        this.number = number;
        this.hash = hash;
    }

    public int number() {
        return number;
    }

    /** The first of an initiator's list, such as {@code 8,7,5}, that is known here. */
    public static @Nullable ChapAlgorithm firstOf(String list) {
        for (String wanted : list.split(",", -1)) {
            for (ChapAlgorithm algorithm : values()) {
                if (wanted.trim().equals(Integer.toString(algorithm.number))) {
                    return algorithm;
                }
            }
        }
        return null;
    }

    /** RFC 1994 §4.1: the hash of identifier, secret and challenge. */
    public byte[] response(int identifier, byte[] secret, byte[] challenge) {
        try {
            MessageDigest digest = MessageDigest.getInstance(hash);
            digest.update((byte) identifier);
            digest.update(secret);
            return digest.digest(challenge);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has " + hash, e);
        }
    }
}
