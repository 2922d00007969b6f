/**
 * Worldwide port names and the rules that say which client sees which logical units: values only, no I/O.
 */
@NullMarked
package io.holdfast.npiv;

import org.jspecify.annotations.NullMarked;
