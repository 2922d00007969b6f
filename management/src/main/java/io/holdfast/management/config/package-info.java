/**
 * What an operator may set, as tables: the command line, the configuration file and the reference pages are derived from
 * them. Parses and judges values; starts nothing.
 */
@NullMarked
package io.holdfast.management.config;

import org.jspecify.annotations.NullMarked;
