/**
 * Bytes at offsets: the backends that hold a logical unit's data, and the ways to do their I/O without blocking a
 * connection's thread.
 *
 * <p>Called by {@code scsi}. Knows no CDB, no sense code and no network: a failure is a {@link io.holdfast.block.BlockError}
 * and the caller decides what an initiator is told.
 */
@NullMarked
package io.holdfast.block;

import org.jspecify.annotations.NullMarked;
