/** Tests of what holds for the target as a whole. */
@NullMarked
package io.holdfast;

import org.jspecify.annotations.NullMarked;
