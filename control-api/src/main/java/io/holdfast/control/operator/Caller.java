package io.holdfast.control.operator;

/**
 * Who asks, once he has proved it.
 *
 * @param name as in the audit trail: {@code root}, {@code token backup}, {@code certificate CN=ops}
 * @param from where he is: {@code local}, or his address
 */
public record Caller(String name, Role role, String from) {}
