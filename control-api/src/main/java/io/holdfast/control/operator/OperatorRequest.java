package io.holdfast.control.operator;

/** Everything an operator may ask: to change something, or to be told. */
public sealed interface OperatorRequest permits OperatorCommand, OperatorQuery {}
