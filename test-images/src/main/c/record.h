/*
 * The numbered record that the guest writes and the host's DiskChecker reads back.
 *
 * Little-endian, RECORD_BYTES long:
 *    0  magic "HOLDFAST"
 *    8  u32 version (1)
 *   12  u32 writer
 *   16  u64 sequence number, from 1
 *   24  u32 slots of this writer's ring; the record's slot is sequence % slots
 *   28  u32 write mode (writer.h)
 *   32  u64 CLOCK_MONOTONIC in microseconds when the record was made
 *   40  u32 zero
 *   44  u32 CRC-32C of the whole record with this field zero
 *   48  payload: the splitmix64 sequence seeded from (writer, sequence), so that every sector differs
 *       from every other one and a sector of another record is seen
 */
#ifndef HOLDFAST_RECORD_H
#define HOLDFAST_RECORD_H

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_BYTES = 4096 };

struct record_header {
    uint32_t writer;
    uint64_t sequence;
    uint32_t slots;
    uint32_t mode;
    uint64_t uptime_us;
};

/* Fills `bytes` (RECORD_BYTES long, 8-byte aligned). */
void record_encode(void *bytes, const struct record_header *header);

/* True if `bytes` hold an intact record; then fills `header`. */
bool record_decode(const void *bytes, struct record_header *header);

#endif
