/* The processes that write numbered records for ever, each durable before it is reported. */
#ifndef HOLDFAST_WRITER_H
#define HOLDFAST_WRITER_H

#include <stdint.h>

/* How a record becomes durable; writer n uses mode n % WRITE_MODES. */
enum write_mode {
    MODE_FSYNC,         /* pwrite into the page cache, then fsync */
    MODE_DIRECT,        /* O_DIRECT pwrite, then fdatasync */
    MODE_DIRECT_DSYNC,  /* O_DIRECT | O_DSYNC: durable when pwrite returns; FUA where the disk has it */
    MODE_RENAME,        /* a small file each: create, write, fsync, rename, fsync the directory */
    WRITE_MODES
};

/* Slots of a writer's ring, by mode. The host's checker knows the same numbers. */
enum { RING_SLOTS = 2048, RENAME_SLOTS = 256 };

enum message_kind { MESSAGE_ACK, MESSAGE_ERROR, MESSAGE_STOPPED };

/* What a writer tells the reporter through a pipe: one write() below PIPE_BUF, so messages never mix. */
struct message {
    uint32_t kind;
    uint32_t writer;
    uint64_t sequence;      /* MESSAGE_STOPPED: the last one acknowledged, 0 for none */
    uint64_t uptime_us;
    uint64_t latency_us;
    int32_t error;
    char call[20];          /* MESSAGE_ERROR: the system call that failed */
};

struct writer {
    uint32_t number;
    unsigned pause_ms;      /* between two records */
    int pipe;               /* messages go here */
    const volatile int *stop; /* shared memory: not 0 means end after the current record */
};

/* Writes until told to stop; does not return. */
_Noreturn void writer_run(const struct writer *writer);

#endif
