/**
 * The guests that drills and tests boot, what they report, and the check of their disks afterwards.
 */
@NullMarked
package io.holdfast.testimages;

import org.jspecify.annotations.NullMarked;
