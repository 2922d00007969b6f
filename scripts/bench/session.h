/*
 * One session of one connection: its numbers and what login settled. Login, the commands before the load and logout wait for
 * their answers; the load itself (connection.h) does not.
 */
#ifndef HOLDFAST_BENCH_SESSION_H
#define HOLDFAST_BENCH_SESSION_H

#include "nbd.h"
#include "options.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

struct session {
    int fd;
    bool nbd;                   /* not iSCSI: nbd.h; the numbers below are not used then */
    uint64_t nbd_bytes;
    uint32_t request_bytes;     /* of a header to the target */
    uint32_t answer_bytes;      /* of a header from it */
    unsigned lun;
    uint32_t cmd_sn;            /* of the next command */
    uint32_t max_cmd_sn;        /* the last one the target accepts now */
    uint32_t exp_stat_sn;       /* of the next answer with a status */
    bool has_stat_sn;           /* the target chooses the first one: known from its first answer on */
    /* Settled at login, bytes. */
    bool initial_r2t;
    bool immediate_data;
    uint32_t first_burst;
    uint32_t target_max_segment;
};

struct capacity {
    uint64_t blocks;
    uint32_t block_bytes;
};

/* Connects and logs in as the initiator's session of that number; ends the program when the target will not have it. */
void session_open(struct session *session, const struct options *options, unsigned number);

/* Waits until the LU is ready and returns how large it is. */
struct capacity session_capacity(struct session *session);

/* Logs out, waits for the answer if there is one, closes. */
void session_close(struct session *session);

/* Takes the numbers out of a PDU of the target. Every PDU must come by here, once. */
void session_numbers(struct session *session, const uint8_t *header);

/* Starts a header of the initiator: opcode, flags, LUN, tag and ExpStatSN are in. */
void session_header(const struct session *session, uint8_t *header, uint8_t opcode, uint8_t flags, uint32_t task_tag);

/*
 * Makes the header of the answer to a NOP-In; false when that wants none. A ping may come at any time: a target that sees a
 * second login of an initiator asks whether the first session is still alive.
 */
bool session_pong(const struct session *session, const uint8_t *ping, uint8_t *header);

static inline bool session_window_is_open(const struct session *session)
{
    return !is_after(session->cmd_sn, session->max_cmd_sn);
}

#endif
