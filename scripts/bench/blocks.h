/*
 * What a verifying run knows about the blocks it wrote. Every 512 bytes carry their address, the generation of the write that
 * put them there, and words computed from both: old, foreign, shifted and torn data all show. A read beside a write of the
 * same block may see a part of either, down to a cache line: no standard promises more, and page caches do it.
 */
#ifndef HOLDFAST_BENCH_BLOCKS_H
#define HOLDFAST_BENCH_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct blocks {
    uint32_t block_bytes;
    uint64_t count;
    /* One entry per block. A block has at most one write in flight: then issued is one above acknowledged. */
    uint32_t *issued;
    uint32_t *acknowledged;
};

void blocks_create(struct blocks *blocks, uint64_t count, uint32_t block_bytes);

static inline bool block_is_being_written(const struct blocks *blocks, uint64_t block)
{
    return blocks->issued[block] != blocks->acknowledged[block];
}

/* Fills the buffer with the block's next generation, which is in flight from now on. */
void block_stamp(struct blocks *blocks, uint64_t block, uint8_t *buffer);

/*
 * Ends the program unless the buffer is what a read of this block may return: every word of a generation from the one
 * acknowledged when the read was sent to the newest issued by now. Without a write beside the read that is one generation.
 */
void block_check(const struct blocks *blocks, uint64_t block, uint32_t oldest_allowed, const uint8_t *buffer);

/*
 * The generation of one sector, 0 for zeroes that nobody wrote; false if it is not wholly of one generation, or is another
 * sector's.
 */
bool sector_generation(uint64_t sector, const uint8_t *buffer, uint64_t *generation);

#endif
