#define _GNU_SOURCE
#include "writer.h"

#include "clock.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* After an error: long enough not to flood the host, short enough to see when the disk is back. */
enum { ERROR_PAUSE_MS = 100 };

struct ring {
    enum write_mode mode;
    uint32_t slots;
    char path[32];      /* the ring file, or the directory of MODE_RENAME */
    int fd;             /* the ring file or the directory, -1 while it could not be opened */
};

static void tell(const struct writer *writer, const struct message *message)
{
    /* A pipe takes a message whole or blocks; only a dead reporter makes this fail, and then the machine goes down. */
    while (write(writer->pipe, message, sizeof(*message)) < 0 && errno == EINTR) {
    }
}

static bool complain(const struct writer *writer, uint64_t sequence, const char *call)
{
    struct message message = {
        .kind = MESSAGE_ERROR,
        .writer = writer->number,
        .sequence = sequence,
        .uptime_us = uptime_us(),
        .error = errno,
    };
    snprintf(message.call, sizeof(message.call), "%s", call);
    tell(writer, &message);
    return false;
}

static int open_flags(enum write_mode mode)
{
    switch (mode) {
    case MODE_DIRECT: return O_RDWR | O_CREAT | O_DIRECT;
    case MODE_DIRECT_DSYNC: return O_RDWR | O_CREAT | O_DIRECT | O_DSYNC;
    case MODE_RENAME: return O_RDONLY | O_DIRECTORY;
    default: return O_RDWR | O_CREAT;
    }
}

static bool open_ring(const struct writer *writer, struct ring *ring)
{
    if (ring->fd >= 0) {
        return true;
    }
    if (ring->mode == MODE_RENAME && mkdir(ring->path, 0755) != 0 && errno != EEXIST) {
        return complain(writer, 0, "mkdir");
    }
    ring->fd = open(ring->path, open_flags(ring->mode) | O_CLOEXEC, 0644);
    if (ring->fd < 0) {
        return complain(writer, 0, "open");
    }
    /* The name of a new ring must be as durable as its records. */
    int parent = open("/data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool durable = parent >= 0 && fsync(parent) == 0;
    if (!durable) {
        complain(writer, 0, "fsync /data");
    }
    if (parent >= 0) {
        close(parent);
    }
    return durable;
}

static bool write_all(const struct writer *writer, uint64_t sequence, int fd, const void *bytes, off_t offset)
{
    ssize_t written = pwrite(fd, bytes, RECORD_BYTES, offset);
    if (written >= 0 && written != RECORD_BYTES) {
        errno = ENOSPC;
        written = -1;
    }
    return written == RECORD_BYTES || complain(writer, sequence, "pwrite");
}

static bool write_ring(const struct writer *writer, const struct ring *ring, uint64_t sequence, const void *bytes)
{
    off_t offset = (off_t) (sequence % ring->slots) * RECORD_BYTES;
    if (!write_all(writer, sequence, ring->fd, bytes, offset)) {
        return false;
    }
    switch (ring->mode) {
    case MODE_FSYNC: return fsync(ring->fd) == 0 || complain(writer, sequence, "fsync");
    case MODE_DIRECT: return fdatasync(ring->fd) == 0 || complain(writer, sequence, "fdatasync");
    default: return true;
    }
}

static bool write_renamed(const struct writer *writer, const struct ring *ring, uint64_t sequence, const void *bytes)
{
    char name[16];
    snprintf(name, sizeof(name), "%u", (unsigned) (sequence % ring->slots));
    int fd = openat(ring->fd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return complain(writer, sequence, "openat");
    }
    bool written = write_all(writer, sequence, fd, bytes, 0) && (fsync(fd) == 0 || complain(writer, sequence, "fsync"));
    if (close(fd) != 0) {
        written = complain(writer, sequence, "close");
    }
    return written
        && (renameat(ring->fd, "new", ring->fd, name) == 0 || complain(writer, sequence, "renameat"))
        && (fsync(ring->fd) == 0 || complain(writer, sequence, "fsync directory"));
}

/* Reads slot `slot`; false if there is none. */
static bool read_slot(const struct ring *ring, uint32_t slot, void *bytes)
{
    if (ring->mode != MODE_RENAME) {
        return pread(ring->fd, bytes, RECORD_BYTES, (off_t) slot * RECORD_BYTES) == RECORD_BYTES;
    }
    char name[16];
    snprintf(name, sizeof(name), "%u", slot);
    int fd = openat(ring->fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool whole = read(fd, bytes, RECORD_BYTES) == RECORD_BYTES;
    close(fd);
    return whole;
}

/* The number after the newest record that an earlier boot left: acknowledgements of before stay valid. */
static uint64_t next_sequence(const struct writer *writer, const struct ring *ring, void *buffer)
{
    uint64_t newest = 0;
    for (uint32_t slot = 0; slot < ring->slots; slot++) {
        struct record_header header;
        if (!read_slot(ring, slot, buffer)) {
            if (ring->mode != MODE_RENAME) {
                break;
            }
            continue;
        }
        if (record_decode(buffer, &header) && header.writer == writer->number && header.sequence > newest) {
            newest = header.sequence;
        }
    }
    return newest + 1;
}

_Noreturn void writer_run(const struct writer *writer)
{
    struct ring ring = {.mode = writer->number % WRITE_MODES, .fd = -1};
    ring.slots = ring.mode == MODE_RENAME ? RENAME_SLOTS : RING_SLOTS;
    snprintf(ring.path, sizeof(ring.path), ring.mode == MODE_RENAME ? "/data/w%u.d" : "/data/w%u.log", writer->number);
    /* O_DIRECT wants the buffer aligned to the disk's block. */
    void *buffer = aligned_alloc(RECORD_BYTES, RECORD_BYTES);
    if (buffer == NULL) {
        complain(writer, 0, "aligned_alloc");
        exit(1);
    }
    while (!open_ring(writer, &ring) && !*writer->stop) {
        pause_ms(ERROR_PAUSE_MS);
    }
    uint64_t sequence = *writer->stop ? 1 : next_sequence(writer, &ring, buffer);
    uint64_t last_acknowledged = 0;

    for (; !*writer->stop; sequence++) {
        uint64_t started_us = uptime_us();
        record_encode(buffer, &(struct record_header){
            .writer = writer->number,
            .sequence = sequence,
            .slots = ring.slots,
            .mode = ring.mode,
            .uptime_us = started_us,
        });
        bool durable = ring.mode == MODE_RENAME
            ? write_renamed(writer, &ring, sequence, buffer)
            : write_ring(writer, &ring, sequence, buffer);
        if (durable) {
            uint64_t ended_us = uptime_us();
            last_acknowledged = sequence;
            tell(writer, &(struct message){
                .kind = MESSAGE_ACK,
                .writer = writer->number,
                .sequence = sequence,
                .uptime_us = ended_us,
                .latency_us = ended_us - started_us,
            });
        }
        pause_ms(durable ? writer->pause_ms : ERROR_PAUSE_MS);
    }
    tell(writer, &(struct message){
        .kind = MESSAGE_STOPPED,
        .writer = writer->number,
        .sequence = last_acknowledged,
        .uptime_us = uptime_us(),
    });
    exit(0);
}
