/**
 * What the control plane decides, as initiators see it: {@link io.holdfast.management.served.ClientPorts} judges logins by
 * the fabric and changes what sessions see, {@link io.holdfast.management.served.ServedLus} keeps the images open.
 *
 * <p>Called by the wiring and by the control plane. Knows the target and the rules of {@code npiv}, nothing of HTTP and of
 * commands.
 */
@NullMarked
package io.holdfast.management.served;

import org.jspecify.annotations.NullMarked;
