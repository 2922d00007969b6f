package io.holdfast.iscsi;

import org.jspecify.annotations.Nullable;

/** What a {@link TestInitiator} talks through. */
interface Wire {
    void send(byte[] bytes);

    /** What has come; null if nothing will come any more. Empty if nothing is there and waiting would not help. */
    byte @Nullable [] receive();

    void close();
}
