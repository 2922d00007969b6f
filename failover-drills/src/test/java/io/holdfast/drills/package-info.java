/** Tests of the drills' pure parts, and the drills themselves as integration tests. */
@NullMarked
package io.holdfast.drills;

import org.jspecify.annotations.NullMarked;
