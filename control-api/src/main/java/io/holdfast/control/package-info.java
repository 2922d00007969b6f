/**
 * What an agent may ask a server and hear from it: the messages, their JSON form, and both ends of the connection.
 *
 * <p>Used by the agent and by the wiring of the server. Knows nothing of the target's insides: a server is described by
 * values (epoch, portals, logical units, sessions).
 */
@NullMarked
package io.holdfast.control;

import org.jspecify.annotations.NullMarked;
