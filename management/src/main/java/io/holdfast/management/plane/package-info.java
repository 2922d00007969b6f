/**
 * The control plane: {@link io.holdfast.management.plane.ControlPlane} holds the latest
 * {@link io.holdfast.management.plane.PlaneState}, carries out commands one at a time, makes each durable before it
 * answers, and tells the served side.
 *
 * <p>Called by the HTTP API and by wiring. Knows the rules of {@code npiv-mapper} and the values of {@code control-api};
 * of the target it knows only {@link io.holdfast.management.plane.ServedSide} and
 * {@link io.holdfast.management.plane.LiveFacts}, which wiring implements, and the values that these speak in.
 */
@NullMarked
package io.holdfast.management.plane;

import org.jspecify.annotations.NullMarked;
