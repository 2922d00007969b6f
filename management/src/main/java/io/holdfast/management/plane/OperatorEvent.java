package io.holdfast.management.plane;

/**
 * An event that an operator has raised and not cleared yet: agents do what their tables say.
 *
 * @param name begins with {@code x-}
 * @param target the iSCSI name of the target it concerns; empty if it concerns all
 * @param detail for people
 */
public record OperatorEvent(String name, String target, String detail, long revision) {}
