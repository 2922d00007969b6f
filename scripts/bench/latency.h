/* A histogram of latencies: 64 steps per power of two, so a percentile is at most 1.6 % too high. */
#ifndef HOLDFAST_BENCH_LATENCY_H
#define HOLDFAST_BENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_STEPS = 64, LATENCY_OCTAVES = 36 };

struct latency {
    uint64_t counts[LATENCY_OCTAVES * LATENCY_STEPS];
    uint64_t total;
    uint64_t max_ns;
};

void latency_add(struct latency *latency, uint64_t ns);

/* The latency, in microseconds, that this share (0..1) of all I/Os did not exceed; 0 when there were none. */
double latency_us(const struct latency *latency, double share);

#endif
