/* One initiator of the proof: one session, commands in flight up to its queue depth, all of them on sectors of its own. */
#include "ledger.h"

#include "../bench/blocks.h"
#include "../bench/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { MAX_SECTORS = 32, MAX_DEPTH = 64, SENSE_BYTES = 512, FUA = 0x08 };

struct task {
    bool busy;
    enum kind kind;
    uint32_t sector, sectors, received;
    uint64_t sent_ns;
    uint8_t data[MAX_SECTORS * SECTOR_BYTES];
};

struct initiator {
    struct ledger *ledger;
    struct session session;
    struct blocks stamps;
    struct task tasks[MAX_DEPTH];
    unsigned depth, in_flight;
    uint32_t first, count;          /* its sectors */
    uint64_t random;
};

uint64_t realtime_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t below(struct initiator *self, uint32_t limit)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return (uint32_t)(self->random >> 11) % limit;
}

static bool overlaps_one_in_flight(const struct initiator *self, uint32_t sector, uint32_t sectors)
{
    for (unsigned i = 0; i < self->depth; i++) {
        const struct task *task = &self->tasks[i];
        if (task->busy && sector < task->sector + task->sectors && task->sector < sector + sectors) {
            return true;
        }
    }
    return false;
}

/* Half of the transfers are whole pages; the others begin and end anywhere. */
static void choose(struct initiator *self, struct task *task)
{
    uint32_t dice = below(self, 100);

    task->kind = dice < 45 ? WRITE_CACHED : dice < 65 ? WRITE_FUA : dice < 73 ? SYNCHRONIZE : READ;
    task->sectors = 0;
    task->sector = self->first;
    if (task->kind == SYNCHRONIZE) {
        return;
    }
    do {
        bool pages = below(self, 2) == 0;
        task->sectors = pages ? 8 * (1 + below(self, MAX_SECTORS / 8)) : 1 + below(self, MAX_SECTORS);
        uint32_t start = below(self, self->count - task->sectors);
        task->sector = self->first + (pages ? start & ~7u : start);
    } while (overlaps_one_in_flight(self, task->sector, task->sectors));
}

static void send_parts(struct initiator *self, struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t sent = writev(self->session.fd, parts, count);
        if (sent < 0) {
            fail("cannot send: %s", strerror(errno));
        }
        while (count > 0 && (size_t)sent >= parts->iov_len) {
            sent -= (ssize_t)parts->iov_len;
            parts++;
            count--;
        }
        if (count > 0) {
            parts->iov_base = (uint8_t *)parts->iov_base + sent;
            parts->iov_len -= (size_t)sent;
        }
    }
}

static void send_task(struct initiator *self, uint32_t tag)
{
    struct task *task = &self->tasks[tag];
    uint8_t header[HEADER_BYTES];
    uint32_t bytes = task->sectors * SECTOR_BYTES;
    bool writes = task->kind == WRITE_CACHED || task->kind == WRITE_FUA;
    uint8_t flags = FINAL | ATTRIBUTE_SIMPLE | (writes ? COMMAND_WRITES : task->kind == READ ? COMMAND_READS : 0);

    session_header(&self->session, header, SCSI_COMMAND, flags, tag);
    put32(header + AT_COMMAND_EXPECTED_LENGTH, bytes);
    put32(header + AT_CMD_SN, self->session.cmd_sn++);
    uint8_t *cdb = header + AT_COMMAND_CDB;
    cdb[0] = writes ? 0x8a : task->kind == READ ? 0x88 : 0x91; /* WRITE, READ, SYNCHRONIZE CACHE (16) */
    if (task->kind == WRITE_FUA) {
        cdb[1] = FUA;
    }
    if (task->kind != SYNCHRONIZE) {
        put64(cdb + 2, task->sector);
        put32(cdb + 10, task->sectors);
    }
    if (writes) {
        /* The generations are written down before the first byte leaves. */
        for (uint32_t i = 0; i < task->sectors; i++) {
            block_stamp(&self->stamps, task->sector + i, task->data + i * SECTOR_BYTES);
        }
        put24(header + AT_DATA_LENGTH, bytes);
    }
    task->busy = true;
    task->received = 0;
    self->in_flight++;
    task->sent_ns = realtime_ns();
    struct iovec parts[] = {{header, HEADER_BYTES}, {task->data, writes ? bytes : 0}};
    send_parts(self, parts, 2);
}

static void receive(struct initiator *self, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = recv(self->session.fd, (uint8_t *)bytes + done, length - done, 0);
        if (n <= 0) {
            fail("the connection is gone");
        }
        done += (size_t)n;
    }
}

/* A sector that is read holds what was acknowledged last: none of its writes is in flight. */
static void check_read(struct initiator *self, const struct task *task)
{
    for (uint32_t i = 0; i < task->sectors; i++) {
        uint64_t generation;
        uint32_t sector = task->sector + i;
        if (!sector_generation(sector, task->data + i * SECTOR_BYTES, &generation)
            || generation != self->ledger->acknowledged_generation[sector]) {
            fprintf(stderr, "durability: a read of sector %u does not return generation %u\n", sector,
                    self->ledger->acknowledged_generation[sector]);
            atomic_store(&self->ledger->wrong_read, true);
        }
    }
}

static void acknowledge(struct initiator *self, struct task *task)
{
    struct ledger *ledger = self->ledger;
    uint64_t now = realtime_ns();

    if (task->kind == READ) {
        check_read(self, task);
    } else if (task->kind != SYNCHRONIZE) {
        for (uint32_t i = 0; i < task->sectors; i++) {
            ledger->acknowledged_generation[task->sector + i] = ledger->issued[task->sector + i];
        }
    }
    atomic_fetch_add(&ledger->acknowledged[task->kind], 1);
    if (ledger->keeps_records && task->kind != READ) {
        uint32_t slot = atomic_fetch_add(&ledger->record_count, 1);
        if (slot >= MAX_RECORDS) {
            fail("more commands than there is room to note");
        }
        ledger->records[slot] = (struct record){task->kind, task->sector, task->sectors, task->sent_ns, now};
    }
    task->busy = false;
    self->in_flight--;
}

static void receive_answer(struct initiator *self)
{
    uint8_t header[HEADER_BYTES], other[SENSE_BYTES];

    receive(self, header, HEADER_BYTES);
    uint32_t length = get24(header + AT_DATA_LENGTH), tag = get32(header + AT_TASK_TAG);
    uint8_t opcode = header[0] & OPCODE_MASK;
    struct task *task = tag < self->depth && self->tasks[tag].busy ? &self->tasks[tag] : NULL;
    bool is_data = opcode == DATA_IN && task != NULL;
    uint32_t offset = get32(header + AT_BUFFER_OFFSET);
    if (is_data ? offset + length > task->sectors * SECTOR_BYTES : padded(length) > sizeof(other)) {
        fail("a PDU with opcode 0x%02x has %u bytes", opcode, length);
    }
    receive(self, is_data ? task->data + offset : other, is_data ? length : padded(length));
    session_numbers(&self->session, header);
    if (opcode == NOP_IN) {
        uint8_t pong[HEADER_BYTES];
        if (session_pong(&self->session, header, pong)) {
            struct iovec part = {pong, HEADER_BYTES};
            send_parts(self, &part, 1);
        }
        return;
    }
    bool ends = opcode == SCSI_RESPONSE || (is_data && (header[AT_FLAGS] & DATA_IN_HAS_STATUS) != 0);
    if (task == NULL || (!ends && !is_data)) {
        fail("unexpected opcode 0x%02x", opcode);
    }
    if (ends && header[AT_STATUS] != STATUS_GOOD) {
        /* Not acknowledged: either generation may be there. A target that is being killed says no such thing. */
        fprintf(stderr, "durability: a command failed with status 0x%02x, sense key %u\n", header[AT_STATUS], other[4] & 0x0f);
        fail("a command failed");
    }
    if (ends) {
        acknowledge(self, task);
    }
}

static void parse(const char *url, struct options *options)
{
    *options = (struct options){
        .timeout_seconds = 20,
        .offer = {.immediate_data = true, .max_burst = 262144, .first_burst = 65536, .max_segment = 262144,
                  .max_outstanding_r2t = 1},
    };
    if (sscanf(url, "iscsi://%255[^:]:%15[0-9]/%223[^/]/%u", options->host, options->port, options->target, &options->lun) != 4) {
        fail("not an address of a LUN: %s", url);
    }
}

int run_initiator(struct ledger *ledger, const char *url, unsigned number, unsigned queue_depth, uint64_t seed)
{
    static struct initiator self;
    struct options options;
    uint32_t share = ledger->sectors / ledger->initiators;

    parse(url, &options);
    self = (struct initiator){
        .ledger = ledger, .depth = queue_depth, .first = number * share, .count = share,
        .random = (seed * MAX_INITIATORS + number + 1) * 0x9e3779b97f4a7c15u | 1,
        .stamps = {.block_bytes = SECTOR_BYTES, .count = ledger->sectors, .issued = ledger->issued},
    };
    session_open(&self.session, &options, number);
    session_capacity(&self.session);
    atomic_fetch_add(&ledger->ready, 1);
    for (;;) {
        for (uint32_t tag = 0; tag < self.depth && !atomic_load(&ledger->stop); tag++) {
            if (!self.tasks[tag].busy && session_window_is_open(&self.session)) {
                choose(&self, &self.tasks[tag]);
                send_task(&self, tag);
            }
        }
        if (self.in_flight == 0) {
            session_close(&self.session);
            return 0;
        }
        receive_answer(&self);
    }
}
