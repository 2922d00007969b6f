package io.holdfast.testimages;

/** A span of the host's {@link System#nanoTime()} in which something did not happen. */
public record Gap(long fromNanos, long toNanos) {
    public long lengthNanos() {
        return toNanos - fromNanos;
    }

    Gap orLonger(Gap other) {
        return other.lengthNanos() > lengthNanos() ? other : this;
    }
}
