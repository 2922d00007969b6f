/**
 * What is done to a VM when its server goes and comes back: a value driven by events, and the record of it on disk.
 *
 * <p>Called by the agent's wiring, which turns QMP messages, portal logins and the watch's findings into events, and
 * actions into commands. No channel, no thread, no clock of its own.
 */
@NullMarked
package io.holdfast.agent.freeze;

import org.jspecify.annotations.NullMarked;
