/**
 * {@code holdfast doctor}: looks at a machine and says what would hurt, before it does. Reads only: settings, {@code /proc},
 * {@code /sys}; asks nobody and changes nothing. Called by the command; knows neither a running server nor an agent.
 */
@NullMarked
package io.holdfast.management.doctor;

import org.jspecify.annotations.NullMarked;
