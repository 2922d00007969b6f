/** Tests. */
@NullMarked
package io.holdfast.management.doctor;

import org.jspecify.annotations.NullMarked;
