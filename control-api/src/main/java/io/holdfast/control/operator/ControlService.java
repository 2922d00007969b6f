package io.holdfast.control.operator;

import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The one service that is asked. Thread-safe; commands may take as long as a disk's fsync. */
public interface ControlService {

    /**
     * Carries out a command, or answers a query.
     *
     * @param basis the version the caller has seen: a command that would overwrite what was changed since is refused as
     *     {@link ErrorCode#STALE}. Empty if he does not mind
     */
    Answer ask(OperatorRequest request, Caller caller, OptionalLong basis);

    /** Who has this token; null if nobody. Takes the same time for all wrong ones. */
    @Nullable
    Caller callerOf(String token, String from);

    /** Hears of events until it is closed. */
    interface Listener {
        /** Called in order, by the thread that made the event: must not block. */
        void heard(PlaneEvent event);
    }

    /** Ends a subscription. */
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /** What a subscriber has to make up for, and that he hears the rest. */
    record Subscribed(List<PlaneEvent> missed, boolean complete, Subscription subscription) {}

    /**
     * Events after a sequence number: those that are kept at once, the rest as they come, none twice and none left out.
     *
     * @return {@code complete} false if some after {@code afterSeq} are not kept any more
     */
    Subscribed subscribe(long afterSeq, Listener listener);

    /** The sequence number of the latest event. */
    long latestEvent();

    /** Nothing stands in the way of serving and of changes; otherwise what does. */
    List<String> obstacles();
}
