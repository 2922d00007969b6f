#include "blocks.h"

#include "options.h"

#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, WORDS = SECTOR_BYTES / 8, WORD_SECTOR = 0, WORD_GENERATION = 1, FIRST_FILLER = 2 };

void blocks_create(struct blocks *blocks, uint64_t count, uint32_t block_bytes)
{
    *blocks = (struct blocks){
        .block_bytes = block_bytes,
        .count = count,
        .issued = calloc(count, sizeof(uint32_t)),
        .acknowledged = calloc(count, sizeof(uint32_t)),
    };
    if (blocks->issued == NULL || blocks->acknowledged == NULL) {
        fail("no memory to remember the generations of %llu blocks: use a smaller --span", (unsigned long long)count);
    }
}

/* The finaliser of splitmix64: neighbouring inputs give unrelated words. */
static uint64_t filler(uint64_t sector, uint64_t generation, unsigned word)
{
    uint64_t mixed = sector * 0x9e3779b97f4a7c15u + generation * 0xd1b54a32d192ed03u + word;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

void block_stamp(struct blocks *blocks, uint64_t block, uint8_t *buffer)
{
    uint64_t generation = ++blocks->issued[block];
    uint64_t sectors = blocks->block_bytes / SECTOR_BYTES;

    for (uint64_t i = 0; i < sectors; i++) {
        uint64_t words[WORDS];
        words[WORD_SECTOR] = block * sectors + i;
        words[WORD_GENERATION] = generation;
        for (unsigned word = FIRST_FILLER; word < WORDS; word++) {
            words[word] = filler(words[WORD_SECTOR], generation, word);
        }
        memcpy(buffer + i * SECTOR_BYTES, words, SECTOR_BYTES);
    }
}

static bool is_of_a_generation(uint64_t value, uint64_t sector, unsigned word, uint64_t oldest, uint64_t newest)
{
    for (uint64_t generation = oldest; generation <= newest; generation++) {
        if (value == filler(sector, generation, word)) {
            return true;
        }
    }
    return false;
}

void block_check(const struct blocks *blocks, uint64_t block, uint32_t oldest_allowed, const uint8_t *buffer)
{
    uint64_t sectors = blocks->block_bytes / SECTOR_BYTES;

    for (uint64_t i = 0; i < sectors; i++) {
        uint64_t words[WORDS];
        uint64_t sector = block * sectors + i;
        memcpy(words, buffer + i * SECTOR_BYTES, SECTOR_BYTES);
        uint64_t generation = words[WORD_GENERATION];
        if (words[WORD_SECTOR] != sector) {
            fail("wrong data: sector %llu returned the content of sector %llu (generation %llu)",
                 (unsigned long long)sector, (unsigned long long)words[WORD_SECTOR], (unsigned long long)generation);
        }
        if (generation < oldest_allowed || generation > blocks->issued[block]) {
            fail("wrong data: sector %llu returned generation %llu; %u was acknowledged before the read, %u is the newest",
                 (unsigned long long)sector, (unsigned long long)generation, oldest_allowed, blocks->issued[block]);
        }
        for (unsigned word = FIRST_FILLER; word < WORDS; word++) {
            /* Nearly always the sector is of one generation: that is looked at first. */
            if (words[word] != filler(sector, generation, word)
                && !is_of_a_generation(words[word], sector, word, oldest_allowed, blocks->issued[block])) {
                fail("wrong data: sector %llu, generation %llu, is torn at byte %u", (unsigned long long)sector,
                     (unsigned long long)generation, word * 8);
            }
        }
    }
}

bool sector_generation(uint64_t sector, const uint8_t *buffer, uint64_t *generation)
{
    uint64_t words[WORDS], any = 0;

    memcpy(words, buffer, SECTOR_BYTES);
    *generation = words[WORD_GENERATION];
    for (unsigned word = 0; word < WORDS; word++) {
        any |= words[word];
    }
    if (any == 0) {
        return true;
    }
    for (unsigned word = FIRST_FILLER; word < WORDS; word++) {
        if (words[word] != filler(sector, *generation, word)) {
            return false;
        }
    }
    return words[WORD_SECTOR] == sector && *generation != 0;
}
