/**
 * {@code holdfast doctor}: looks at a machine and says what would hurt, before it does. Reads settings, {@code /proc},
 * {@code /sys} and what the agent has noted of its VMs, and knocks at the agent's servers. Changes nothing. Called by the command.
 */
@NullMarked
package io.holdfast.management.doctor;

import org.jspecify.annotations.NullMarked;
