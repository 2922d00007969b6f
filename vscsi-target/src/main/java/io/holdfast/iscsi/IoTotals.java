package io.holdfast.iscsi;

import java.util.List;

/**
 * How many commands there were, what they moved, how long they took: of one session at one logical unit, or the sum of many.
 * Immutable.
 */
public final class IoTotals {
    /**
     * Upper bounds of the classes that durations are counted in, microseconds; the last class has none. From what the page
     * cache answers to what initiators give up on.
     */
    public static final List<Integer> LIMITS_US = List.of(
            50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000, 5_000_000, 30_000_000);

    // Where numbers stand, of each kind.
    static final int BYTES = 0;
    static final int ERRORS = 1;
    static final int NANOS = 2;
    static final int FIRST_CLASS = 3;

    static final int PER_KIND = FIRST_CLASS + LIMITS_US.size() + 1;
    /** Behind those of the kinds: commands that were begun. */
    static final int BEGUN = IoKind.values().length * PER_KIND;

    static final int CELLS = BEGUN + 1;

    public static final IoTotals NONE = new IoTotals(new long[CELLS]);

    private final long[] cells;

    /** @param cells taken over */
    IoTotals(long[] cells) {
        this.cells = cells;
    }

    public IoTotals plus(IoTotals other) {
        long[] sum = cells.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += other.cells[i];
        }
        return new IoTotals(sum);
    }

    private long cell(IoKind kind, int which) {
        return cells[kind.place() * PER_KIND + which];
    }

    /** Commands that have ended. */
    public long operations(IoKind kind) {
        long sum = 0;
        for (int i = 0; i <= LIMITS_US.size(); i++) {
            sum += inClass(kind, i);
        }
        return sum;
    }

    /** Data moved, in either direction. */
    public long bytes(IoKind kind) {
        return cell(kind, BYTES);
    }

    /** Commands that failed for a reason that is not the initiator's, see {@link IoCounters#isError}. */
    public long errors(IoKind kind) {
        return cell(kind, ERRORS);
    }

    /** From a command's arrival to its answer, all of them together. */
    public long nanos(IoKind kind) {
        return cell(kind, NANOS);
    }

    /** Commands that took longer than the limit before this class's, and not longer than its own. */
    public long inClass(IoKind kind, int index) {
        return cell(kind, FIRST_CLASS + index);
    }

    /** Commands that the logical unit is carrying out. */
    public long executing() {
        long ended = 0;
        for (IoKind kind : IoKind.values()) {
            ended += operations(kind);
        }
        // Read while they are written: an end may be seen before its beginning.
        return Math.max(0, cells[BEGUN] - ended);
    }

    public boolean isEmpty() {
        return cells[BEGUN] == 0;
    }
}
