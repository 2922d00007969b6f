package io.holdfast.management.plane;

/**
 * What is registered to be done for a VM on which event: kept for whoever understands it.
 *
 * @param actions JSON
 * @param revision the state's version that last changed it
 */
public record EventActions(String vm, String actions, long revision) {}
