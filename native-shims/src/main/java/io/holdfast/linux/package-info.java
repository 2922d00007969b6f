/**
 * The Linux calls that the JDK lacks, through jnr-ffi, and AF_UNIX sockets through jnr-unixsocket.
 *
 * <p>Called by {@code block} and by the agent. Knows nothing of ours. An {@code errno} becomes a
 * {@link io.holdfast.linux.LinuxException} in one place. Binding the native library takes 60 to 150 ms, so nothing here
 * binds it before the first call that needs it, and a server makes that call after it has begun to serve.
 */
@NullMarked
package io.holdfast.linux;

import org.jspecify.annotations.NullMarked;
