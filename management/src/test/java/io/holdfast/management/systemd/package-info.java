/** Tests. */
@NullMarked
package io.holdfast.management.systemd;

import org.jspecify.annotations.NullMarked;
