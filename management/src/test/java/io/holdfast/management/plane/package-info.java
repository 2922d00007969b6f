/** Tests of the control plane. */
@NullMarked
package io.holdfast.management.plane;

import org.jspecify.annotations.NullMarked;
