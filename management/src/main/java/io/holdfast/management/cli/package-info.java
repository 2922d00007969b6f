/**
 * The command line that operates a running server: a subcommand for each row of
 * {@link io.holdfast.control.operator.Operation}, tables for people, and forms for scripts. Knows the API's client and
 * nothing of the server.
 */
@NullMarked
package io.holdfast.management.cli;

import org.jspecify.annotations.NullMarked;
