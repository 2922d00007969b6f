/*
 * One connection under load: its tasks, what waits to be sent, and the PDU that is arriving. Never blocks.
 *
 *   connection_fill ──► SCSI commands ──► connection_flush ══► target
 *   connection_read ◄══ Data-In, R2T, SCSI Response; ends tasks, answers R2Ts and pings
 */
#ifndef HOLDFAST_BENCH_CONNECTION_H
#define HOLDFAST_BENCH_CONNECTION_H

#include "blocks.h"
#include "latency.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the run still has to send, and what came of it. One for all connections. */
struct load {
    enum mode mode;
    enum access access;
    unsigned read_percent;
    uint32_t block_bytes;
    uint32_t lu_block_bytes;
    uint64_t blocks;            /* the span, in units of block_bytes */
    uint64_t random;            /* state of the generator, never 0 */
    uint64_t next;              /* of sequential access */
    uint64_t to_send;
    uint64_t sent;
    uint64_t done;
    uint64_t window_waits;      /* how often the target's command window, not the queue depth, held a command back */
    uint64_t last_done_ns;
    struct latency latency;
    struct blocks *verify;      /* NULL: data is neither stamped nor looked at */
    const uint8_t *pattern;     /* block_bytes to write when nothing is stamped */
};

struct task {
    uint8_t *buffer;            /* only of a verifying run */
    uint64_t block;
    uint64_t sent_ns;
    uint32_t received;
    uint32_t oldest_allowed;
    bool writes;
    bool busy;
};

struct outgoing {
    uint8_t header[HEADER_BYTES];
    const uint8_t *data;
    uint32_t length;
};

struct connection {
    struct session session;
    struct load *load;
    struct task *tasks;         /* the index is the Initiator Task Tag */
    uint32_t *idle;             /* a stack of those that are not in flight */
    unsigned idle_count;
    unsigned queue_depth;
    struct outgoing *queue;
    size_t queue_capacity, queue_first, queue_end;
    size_t first_sent;          /* bytes of the first queued PDU the socket has taken */
    bool waits_for_room;        /* the socket's buffer is full */
    uint8_t header[HEADER_BYTES];
    uint32_t header_length;
    uint32_t payload_left;      /* with padding */
    struct task *data_in;       /* the task the arriving payload belongs to, or NULL */
    uint8_t segment[256];       /* the first bytes of any other payload: sense data, mostly */
    uint32_t segment_length;
};

/* The session is logged in. Ends the program when memory is short. */
void connection_start(struct connection *connection, struct load *load, unsigned queue_depth);

/* Queues as many new commands as depth, window and load allow. */
void connection_fill(struct connection *connection, uint64_t now_ns);

/* Hands the queue to the socket, as far as it takes it. */
void connection_flush(struct connection *connection);

/* Reads what is there, once, into the buffer and acts on it. */
void connection_read(struct connection *connection, uint8_t *buffer, size_t capacity);

static inline bool connection_is_idle(const struct connection *connection)
{
    return connection->idle_count == connection->queue_depth;
}

uint64_t now_ns(void);

#endif
