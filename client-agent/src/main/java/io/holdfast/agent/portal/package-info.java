/**
 * The iSCSI portal beside QEMU: it leads logins to the server while that serves, and stands in for it while it does not.
 *
 * <p>Called by the agent's wiring. Speaks iSCSI with the wire classes of the target and with nothing else of it: whether a
 * server serves is told from outside, and that a VM exists behind a session is not known here.
 */
@NullMarked
package io.holdfast.agent.portal;

import org.jspecify.annotations.NullMarked;
