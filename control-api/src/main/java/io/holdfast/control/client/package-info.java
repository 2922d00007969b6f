/**
 * The other end of the HTTP API, as the command line needs it: one request and its answer, or a stream of events. Hand-made
 * and small, because a command line that first loads an HTTP framework is slow each time.
 */
@NullMarked
package io.holdfast.control.client;

import org.jspecify.annotations.NullMarked;
