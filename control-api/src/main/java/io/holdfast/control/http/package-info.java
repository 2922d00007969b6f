/**
 * The HTTP API: {@link io.holdfast.control.http.ApiServer} asks a
 * {@link io.holdfast.control.operator.ControlService} what callers ask it, over a unix socket and over TLS. Routes, their
 * description and what may be said follow from the {@link io.holdfast.control.operator.Operation} table.
 *
 * <p>Started after the target serves: nothing here may stand between exec and serving.
 */
@NullMarked
package io.holdfast.control.http;

import org.jspecify.annotations.NullMarked;
