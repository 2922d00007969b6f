package io.holdfast.npiv;

/**
 * What stays of a deleted pool: the names below the counter have been issued and never will be again.
 *
 * @param nextPair where a new pool with the same prefix goes on
 */
public record RetiredPrefix(WwpnPrefix prefix, long nextPair) {}
