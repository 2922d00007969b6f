/**
 * Whether the server serves: the control connection, its heart-beats, and logins to the data path as proof.
 *
 * <p>Called by the agent's wiring, asked by the portals. Also knows the sockets of a local process, to tell which sessions
 * are alive and to break those that are not. Knows nothing of VMs.
 */
@NullMarked
package io.holdfast.agent.watch;

import org.jspecify.annotations.NullMarked;
