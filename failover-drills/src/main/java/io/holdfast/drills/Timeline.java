package io.holdfast.drills;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What happened when. Thread-safe: every thread that sees something adds it with its own time. */
final class Timeline {

    /** What an event means to the guest; decides its colour. */
    enum Tone {
        /** Something was taken away. */
        LOSS,
        /** The guest is kept safe. */
        SHELTER,
        /** Something came back. */
        RETURN,
        /** Worth knowing. */
        NOTE
    }

    /**
     * @param atNs {@link System#nanoTime()} of the event
     * @param what a few words
     * @param detail more of it, may be empty
     */
    record Moment(long atNs, Tone tone, String what, String detail) {}

    private final List<Moment> moments = new ArrayList<>();

    synchronized void add(long atNs, Tone tone, String what, String detail) {
        moments.add(new Moment(atNs, tone, what, detail));
    }

    /** All moments by time; equal times in the order they were added. */
    synchronized List<Moment> moments() {
        List<Moment> sorted = new ArrayList<>(moments);
        sorted.sort(Comparator.comparingLong(Moment::atNs));
        return sorted;
    }
}
