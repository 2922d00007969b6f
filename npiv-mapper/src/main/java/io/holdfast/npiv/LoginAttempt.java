package io.holdfast.npiv;

/**
 * Somebody knocks.
 *
 * @param initiator the initiator's name, as it came
 * @param target the target's name, as it came
 * @param port name of the physical port it came in by
 * @param from the host it came from, as its address
 */
public record LoginAttempt(String initiator, String target, String port, String from) {}
