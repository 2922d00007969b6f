/**
 * QEMU's machine protocol: one monitor connection per VM, kept open for the VM's life.
 *
 * <p>Used by the agent's wiring. Knows QMP's greeting, commands, replies and events, and what of QEMU's block layer matters
 * to a portal; nothing of servers and freezing.
 */
@NullMarked
package io.holdfast.agent.qmp;

import org.jspecify.annotations.NullMarked;
