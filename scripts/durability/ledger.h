/*
 * What the proof knows of every sector, in memory that the initiators (one process each) share with the checker: so it
 * outlives the server whatever happens to that. A sector carries its address, the generation of the write that put it there,
 * and words computed from both (../bench/blocks.h). A sector has at most one write in flight.
 */
#ifndef HOLDFAST_DURABILITY_LEDGER_H
#define HOLDFAST_DURABILITY_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SECTOR_BYTES = 512, MAX_INITIATORS = 16, MAX_RECORDS = 1 << 18 };

enum kind { WRITE_CACHED, WRITE_FUA, SYNCHRONIZE, READ, KINDS };

/* One acknowledged command: when it was sent and when its answer was read, CLOCK_REALTIME ns, as strace notes times. */
struct record {
    enum kind kind;
    uint32_t sector, sectors;
    uint64_t sent_ns, acknowledged_ns;
};

struct ledger {
    uint32_t sectors;               /* of the image */
    uint32_t initiators;            /* each has an equal, contiguous share of the sectors */
    bool keeps_records;
    atomic_bool stop;               /* the initiators send nothing more, and end when all is answered */
    atomic_uint ready;              /* sessions that are logged in */
    atomic_ullong acknowledged[KINDS];
    atomic_uint record_count;
    atomic_bool wrong_read;
    struct record *records;
    uint32_t *issued;               /* the newest generation that was sent */
    uint32_t *acknowledged_generation;
    uint32_t *found;                /* what the checker found last */
    uint32_t *issued_then;          /* the newest generation that had been sent by then */
};

/* Runs one initiator until the ledger says stop or the target is gone; returns the exit code of its process. */
int run_initiator(struct ledger *ledger, const char *url, unsigned number, unsigned queue_depth, uint64_t seed);

uint64_t realtime_ns(void);

#endif
