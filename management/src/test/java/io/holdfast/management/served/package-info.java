/** Tests of what initiators see of the control plane. */
@NullMarked
package io.holdfast.management.served;

import org.jspecify.annotations.NullMarked;
