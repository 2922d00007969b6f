package io.holdfast.control.operator;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something happened.
 *
 * @param seq counts up by one with every event, from 1, in one life of a server and across them
 * @param type such as {@code lu-created}, {@code login-refused}; stable
 * @param object what it is about: {@code client 3 (web1)}
 * @param by who did it, if it was somebody
 * @param text one line for people
 * @param version of the state after it
 */
public record PlaneEvent(
        long seq,
        Instant time,
        String type,
        String object,
        @Nullable String by,
        String text,
        long version) implements Row {}
