package io.holdfast.block;

import java.nio.ByteBuffer;

/**
 * Off-heap memory that a backend reads into or writes from. It stays where it is until the operation's callback has run,
 * and belongs to the operation until then.
 */
public interface IoMemory {

    /** The native address of the first byte. */
    long address();

    /** How many bytes there are, 0 to {@link Integer#MAX_VALUE}. */
    int length();

    /** The same bytes, position 0 and limit {@link #length()}. May be the same object at every call: one user at a time. */
    ByteBuffer buffer();
}
