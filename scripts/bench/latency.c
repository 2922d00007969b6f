#include "latency.h"

enum { STEP_BITS = 6, BUCKETS = LATENCY_OCTAVES * LATENCY_STEPS };

/* Octave 0 holds 0..63 ns one by one; octave n > 0 holds 64..127 times 2^(n-1) ns. */
static unsigned bucket_of(uint64_t ns)
{
    if (ns < LATENCY_STEPS) {
        return (unsigned)ns;
    }
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - STEP_BITS;
    unsigned bucket = (shift + 1) * LATENCY_STEPS + (unsigned)((ns >> shift) - LATENCY_STEPS);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t last_ns_of(unsigned bucket)
{
    if (bucket < LATENCY_STEPS) {
        return bucket;
    }
    unsigned shift = bucket / LATENCY_STEPS - 1;
    uint64_t step = LATENCY_STEPS + bucket % LATENCY_STEPS;
    return ((step + 1) << shift) - 1;
}

void latency_add(struct latency *latency, uint64_t ns)
{
    latency->counts[bucket_of(ns)]++;
    latency->total++;
    if (ns > latency->max_ns) {
        latency->max_ns = ns;
    }
}

double latency_us(const struct latency *latency, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)latency->total);
    uint64_t seen = 0;

    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        seen += latency->counts[bucket];
        if (seen > wanted || (seen == latency->total && seen > 0)) {
            uint64_t ns = last_ns_of(bucket);
            return (double)(ns < latency->max_ns ? ns : latency->max_ns) / 1000.0;
        }
    }
    return 0;
}
