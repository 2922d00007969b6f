/**
 * What an operator may ask of a server, and hear from it: {@link io.holdfast.control.operator.OperatorRequest} is the one
 * sealed family of requests, {@link io.holdfast.control.operator.Operation} the table that gives each its place on the
 * command line and in the HTTP API, {@link io.holdfast.control.operator.Row} what comes back.
 *
 * <p>Values and tables only. Used by the control plane, the HTTP server, the command line and the reference pages.
 */
@NullMarked
package io.holdfast.control.operator;

import org.jspecify.annotations.NullMarked;
