#include "record.h"

#include <stddef.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the record is written as it lies in memory");

static const char MAGIC[8] = {'H', 'O', 'L', 'D', 'F', 'A', 'S', 'T'};
enum { VERSION = 1 };

struct layout {
    char magic[8];
    uint32_t version;
    uint32_t writer;
    uint64_t sequence;
    uint32_t slots;
    uint32_t mode;
    uint64_t uptime_us;
    uint32_t zero;
    uint32_t crc;
    uint64_t payload[(RECORD_BYTES - 48) / 8];
};
_Static_assert(sizeof(struct layout) == RECORD_BYTES, "no padding");

/* CRC-32C (Castagnoli), reflected: the one iSCSI digests use, and java.util.zip.CRC32C. */
static uint32_t crc32c(const void *bytes, size_t length)
{
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
            }
            table[i] = crc;
        }
    }
    const unsigned char *byte = bytes;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc = (crc >> 8) ^ table[(crc ^ byte[i]) & 0xff];
    }
    return ~crc;
}

static void fill_payload(struct layout *record)
{
    uint64_t state = record->sequence * 1000003u + record->writer;
    for (size_t i = 0; i < sizeof(record->payload) / sizeof(record->payload[0]); i++) {
        state += 0x9e3779b97f4a7c15u;
        uint64_t z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        record->payload[i] = z ^ (z >> 31);
    }
}

void record_encode(void *bytes, const struct record_header *header)
{
    struct layout *record = bytes;
    memcpy(record->magic, MAGIC, sizeof(MAGIC));
    record->version = VERSION;
    record->writer = header->writer;
    record->sequence = header->sequence;
    record->slots = header->slots;
    record->mode = header->mode;
    record->uptime_us = header->uptime_us;
    record->zero = 0;
    record->crc = 0;
    fill_payload(record);
    record->crc = crc32c(record, sizeof(*record));
}

bool record_decode(const void *bytes, struct record_header *header)
{
    struct layout record;
    memcpy(&record, bytes, sizeof(record));
    uint32_t crc = record.crc;
    record.crc = 0;
    if (memcmp(record.magic, MAGIC, sizeof(MAGIC)) != 0 || record.version != VERSION
        || crc32c(&record, sizeof(record)) != crc) {
        return false;
    }
    *header = (struct record_header){
        .writer = record.writer,
        .sequence = record.sequence,
        .slots = record.slots,
        .mode = record.mode,
        .uptime_us = record.uptime_us,
    };
    return true;
}
