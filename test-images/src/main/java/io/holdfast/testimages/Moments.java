package io.holdfast.testimages;

import java.util.Arrays;
import java.util.OptionalLong;

/**
 * When something happened, again and again, in the host's {@link System#nanoTime()}: asked for gaps. Not thread-safe;
 * its owner locks.
 */
final class Moments {
    private long[] nanos = new long[1024];
    private int count;

    void add(long atNanos) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, count * 2);
        }
        nanos[count++] = atNanos;
    }

    int count() {
        return count;
    }

    OptionalLong firstAfter(long afterNanos) {
        int index = indexAfter(afterNanos);
        return index < count ? OptionalLong.of(nanos[index]) : OptionalLong.empty();
    }

    OptionalLong lastUpTo(long upToNanos) {
        int index = indexAfter(upToNanos);
        return index > 0 ? OptionalLong.of(nanos[index - 1]) : OptionalLong.empty();
    }

    /** The longest time within {@code fromNanos..toNanos} in which nothing happened; the ends count as happenings. */
    Gap longestGap(long fromNanos, long toNanos) {
        Gap longest = new Gap(fromNanos, fromNanos);
        long previous = fromNanos;
        for (int i = indexAfter(fromNanos); i < count && nanos[i] - toNanos < 0; i++) {
            longest = longest.orLonger(new Gap(previous, nanos[i]));
            previous = nanos[i];
        }
        return longest.orLonger(new Gap(previous, toNanos));
    }

    /** nanoTime may wrap: only differences compare. */
    private int indexAfter(long afterNanos) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (nanos[middle] - afterNanos > 0) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }
}
