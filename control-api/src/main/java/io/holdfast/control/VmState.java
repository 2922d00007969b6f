package io.holdfast.control;

/**
 * Where a VM stands, as its agent sees it.
 *
 * @param vm its name at its agent
 * @param state {@code RUNNING}, {@code FROZEN} and so on: the agent's word, which another version may not know
 * @param why how it came to that, for people
 * @param sinceEpochMs since when, by the agent's clock, milliseconds since 1970
 */
public record VmState(String vm, String state, String why, long sinceEpochMs) {}
