package io.holdfast.scsi;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What one logical unit is being sanitized by, kept so that whoever serves it next goes on with it: a medium that is half
 * sanitized must not be read because the server has died (SBC-3 §4.11). One thread at a time.
 */
public interface SanitizeStore {

    /** What was under way when the unit was served last, or null. Does not block. */
    @Nullable
    SanitizeRequest pending();

    /** Returns once it is durable. May block. */
    void begun(SanitizeRequest request) throws IOException;

    /** Nothing is under way any more. Returns once that is durable. May block. */
    void ended() throws IOException;

    /** Forgets everything with the process. */
    static SanitizeStore inMemory() {
        return new SanitizeStore() {
            @Override
            public @Nullable SanitizeRequest pending() {
                return null;
            }

            @Override
            public void begun(SanitizeRequest request) {}

            @Override
            public void ended() {}
        };
    }
}
