/**
 * Worldwide port names and the rules that say which client sees which logical units: values only. A
 * {@link io.holdfast.npiv.Fabric} is the state of it all, {@link io.holdfast.npiv.FabricCommand}s make a new one out of
 * it, and a {@link io.holdfast.npiv.LoginDirectory} answers from it who may log in.
 *
 * <p>Called by the control plane, which keeps the latest fabric, stores its {@link io.holdfast.npiv.FabricState} and hands
 * the target what it needs. Knows neither files nor sockets, neither threads nor clocks, and nothing of the target.
 */
@NullMarked
package io.holdfast.npiv;

import org.jspecify.annotations.NullMarked;
