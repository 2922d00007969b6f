package io.holdfast.drills;

import java.util.Collection;

/**
 * How a measured value spreads over several runs. Percentiles are by nearest rank: each is a value that was measured,
 * and with few runs p99 is simply the largest.
 */
record Spread(int count, double median, double p95, double p99, double max) {

    /** @throws IllegalArgumentException if there are no values */
    static Spread of(Collection<Double> values) {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("no values: nothing was measured");
        }
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return new Spread(
                sorted.length, ranked(sorted, 50), ranked(sorted, 95), ranked(sorted, 99), sorted[sorted.length - 1]);
    }

    private static double ranked(double[] sorted, int percent) {
        // In whole numbers: 0.95 * 20 is a little more than 19 in binary floating point.
        int rank = (sorted.length * percent + 99) / 100;
        return sorted[Math.max(rank, 1) - 1];
    }
}
