/* What the command line asks for. */
#ifndef HOLDFAST_BENCH_OPTIONS_H
#define HOLDFAST_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum mode { MODE_READ, MODE_WRITE, MODE_MIXED };
enum access { ACCESS_RANDOM, ACCESS_SEQUENTIAL };

enum { MAX_CONNECTIONS = 64, MAX_QUEUE_DEPTH = 4096, MAX_BLOCK_BYTES = 16 << 20 };

/* What to offer at login; the target's answers decide. Bytes. */
struct offer {
    bool initial_r2t;
    bool immediate_data;
    uint32_t max_burst;
    uint32_t first_burst;
    uint32_t max_segment;
    unsigned max_outstanding_r2t;
};

struct options {
    char host[256];
    char port[16];
    bool nbd;
    char target[224];           /* RFC 7143 §4.2.7.1 allows 223 bytes; of NBD the export's name */
    unsigned lun;
    enum mode mode;
    enum access access;
    unsigned read_percent;      /* of MODE_MIXED */
    uint32_t block_bytes;
    unsigned queue_depth;       /* per connection */
    unsigned connections;
    double seconds;
    uint64_t count;             /* stop after so many I/Os; 0: only the time ends the run */
    uint64_t span_bytes;        /* use only the first part of the LU; 0: all of it */
    uint64_t seed;
    bool verify;
    double timeout_seconds;
    const char *json_path;      /* "-": standard output; NULL: none */
    struct offer offer;
};

/* Ends the program with 2 and a message when the command line is wrong, with 0 after --help. */
struct options parse_options(int count, char **words);

const char *mode_name(enum mode mode);
const char *access_name(enum access access);

/* Says what went wrong and ends the program with 1: an I/O failed, or the target is gone or talks nonsense. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
