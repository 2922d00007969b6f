#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

enum { PDUS_PER_SEND = 64, FIRST_QUEUE_CAPACITY = 256 };

uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fail("no memory for %zu x %zu bytes: use a smaller queue depth or block size", count, size);
    }
    return memory;
}

void connection_start(struct connection *connection, struct load *load, unsigned queue_depth)
{
    int flags = fcntl(connection->session.fd, F_GETFL);
    if (flags < 0 || fcntl(connection->session.fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        fail("cannot make the socket non-blocking: %s", strerror(errno));
    }
    connection->load = load;
    connection->queue_depth = queue_depth;
    connection->tasks = allocate(queue_depth, sizeof(struct task));
    connection->idle = allocate(queue_depth, sizeof(uint32_t));
    connection->queue_capacity = FIRST_QUEUE_CAPACITY;
    connection->queue = allocate(connection->queue_capacity, sizeof(struct outgoing));
    for (uint32_t tag = 0; tag < queue_depth; tag++) {
        connection->idle[connection->idle_count++] = tag;
        if (load->verify != NULL) {
            connection->tasks[tag].buffer = allocate(1, load->block_bytes);
        }
    }
}

/* ---- sending ---- */

/* The header is valid until the next call. */
static uint8_t *enqueue(struct connection *connection, const uint8_t *data, uint32_t length)
{
    if (connection->queue_end == connection->queue_capacity) {
        if (connection->queue_first > 0) {
            size_t waiting = connection->queue_end - connection->queue_first;
            memmove(connection->queue, connection->queue + connection->queue_first, waiting * sizeof(struct outgoing));
            connection->queue_first = 0;
            connection->queue_end = waiting;
        } else {
            connection->queue_capacity *= 2;
            connection->queue = realloc(connection->queue, connection->queue_capacity * sizeof(struct outgoing));
            if (connection->queue == NULL) {
                fail("no memory for %zu queued PDUs", connection->queue_capacity);
            }
        }
    }
    struct outgoing *outgoing = &connection->queue[connection->queue_end++];
    outgoing->data = data;
    outgoing->length = length;
    return outgoing->header;
}

/* Queues Data-Out PDUs for one burst: solicited with the target's tag, unsolicited with NO_TAG. */
static void send_burst(struct connection *connection, uint32_t tag, uint32_t transfer_tag, uint32_t offset, uint32_t length)
{
    const struct load *load = connection->load;
    const struct session *session = &connection->session;
    const uint8_t *data = load->verify == NULL ? load->pattern : connection->tasks[tag].buffer;
    uint32_t data_sn = 0;

    while (length > 0) {
        uint32_t part = length < session->target_max_segment ? length : session->target_max_segment;
        uint8_t *header = enqueue(connection, data + offset, part);
        session_header(session, header, DATA_OUT, part == length ? FINAL : 0, tag);
        put24(header + AT_DATA_LENGTH, part);
        put32(header + AT_TRANSFER_TAG, transfer_tag);
        put32(header + AT_DATA_OUT_SN, data_sn++);
        put32(header + AT_BUFFER_OFFSET, offset);
        offset += part;
        length -= part;
    }
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* READ and WRITE (10) while they reach, as usual initiators do; (16) beyond (SBC-4 §5.13, §5.16). */
static void put_cdb(uint8_t *cdb, bool writes, uint64_t lba, uint32_t blocks)
{
    if (lba + blocks <= UINT32_MAX && blocks <= UINT16_MAX) {
        cdb[0] = writes ? 0x2a : 0x28;
        put32(cdb + 2, (uint32_t)lba);
        put16(cdb + 7, blocks);
    } else {
        cdb[0] = writes ? 0x8a : 0x88;
        put64(cdb + 2, lba);
        put32(cdb + 10, blocks);
    }
}

static void send_command(struct connection *connection, uint32_t tag)
{
    const struct load *load = connection->load;
    struct session *session = &connection->session;
    const struct task *task = &connection->tasks[tag];
    const uint8_t *data = !task->writes ? NULL : task->buffer == NULL ? load->pattern : task->buffer;
    uint32_t unsolicited = 0, immediate = 0;

    if (session->nbd) {
        nbd_request(enqueue(connection, data, task->writes ? load->block_bytes : 0), task->writes, tag,
                    task->block * load->block_bytes, load->block_bytes);
        return;
    }
    if (task->writes) {
        uint32_t burst = smaller(load->block_bytes, session->first_burst);
        immediate = session->immediate_data ? smaller(burst, session->target_max_segment) : 0;
        unsolicited = session->initial_r2t ? 0 : burst - immediate;
    }
    uint8_t *header = enqueue(connection, data, immediate);
    uint8_t flags = ATTRIBUTE_SIMPLE | (task->writes ? COMMAND_WRITES : COMMAND_READS) | (unsolicited == 0 ? FINAL : 0);
    session_header(session, header, SCSI_COMMAND, flags, tag);
    put24(header + AT_DATA_LENGTH, immediate);
    put32(header + AT_COMMAND_EXPECTED_LENGTH, load->block_bytes);
    put32(header + AT_CMD_SN, session->cmd_sn++);
    uint32_t lu_blocks = load->block_bytes / load->lu_block_bytes;
    put_cdb(header + AT_COMMAND_CDB, task->writes, task->block * lu_blocks, lu_blocks);
    send_burst(connection, tag, NO_TAG, immediate, unsolicited);
}

static uint64_t next_random(struct load *load)
{
    /* xorshift64: cheap, and good enough to choose blocks. */
    load->random ^= load->random << 13;
    load->random ^= load->random >> 7;
    load->random ^= load->random << 17;
    return load->random;
}

static void choose(struct load *load, struct task *task)
{
    task->block = load->access == ACCESS_RANDOM ? next_random(load) % load->blocks : load->next++ % load->blocks;
    task->writes = load->mode == MODE_WRITE || (load->mode == MODE_MIXED && next_random(load) % 100 >= load->read_percent);
    task->received = 0;
    if (load->verify == NULL) {
        return;
    }
    if (task->writes) {
        /* Two writes of one block in flight may land in either order: nothing could be said about what a read returns. */
        while (block_is_being_written(load->verify, task->block)) {
            task->block = (task->block + 1) % load->blocks;
        }
        block_stamp(load->verify, task->block, task->buffer);
    } else {
        task->oldest_allowed = load->verify->acknowledged[task->block];
    }
}

void connection_fill(struct connection *connection, uint64_t now)
{
    struct load *load = connection->load;

    while (connection->idle_count > 0 && load->sent < load->to_send) {
        if (!session_window_is_open(&connection->session)) {
            load->window_waits++;
            return;
        }
        uint32_t tag = connection->idle[--connection->idle_count];
        struct task *task = &connection->tasks[tag];
        choose(load, task);
        task->busy = true;
        task->sent_ns = now;
        load->sent++;
        send_command(connection, tag);
    }
}

static int gather(const struct connection *connection, struct iovec *parts)
{
    int count = 0;
    size_t header_bytes = connection->session.request_bytes;
    size_t skip = connection->first_sent;

    for (size_t i = connection->queue_first; i < connection->queue_end && i < connection->queue_first + PDUS_PER_SEND; i++) {
        struct outgoing *outgoing = &connection->queue[i];
        if (skip < header_bytes) {
            parts[count++] = (struct iovec){outgoing->header + skip, header_bytes - skip};
            skip = 0;
        } else {
            skip -= header_bytes;
        }
        if (outgoing->length > 0) {
            parts[count++] = (struct iovec){(void *)(outgoing->data + skip), outgoing->length - skip};
        }
        skip = 0;
    }
    return count;
}

static void drop_sent(struct connection *connection, size_t sent)
{
    sent += connection->first_sent;
    while (connection->queue_first < connection->queue_end) {
        size_t size = connection->session.request_bytes + connection->queue[connection->queue_first].length;
        if (sent < size) {
            break;
        }
        sent -= size;
        connection->queue_first++;
    }
    connection->first_sent = sent;
    if (connection->queue_first == connection->queue_end) {
        connection->queue_first = connection->queue_end = 0;
    }
}

void connection_flush(struct connection *connection)
{
    struct iovec parts[2 * PDUS_PER_SEND];

    connection->waits_for_room = false;
    while (connection->queue_first < connection->queue_end) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)gather(connection, parts)};
        ssize_t sent = sendmsg(connection->session.fd, &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            drop_sent(connection, (size_t)sent);
        } else if (errno == EAGAIN) {
            connection->waits_for_room = true;
            return;
        } else if (errno != EINTR) {
            fail("cannot send: %s", strerror(errno));
        }
    }
}

/* ---- receiving ---- */

static struct task *task_of(const struct connection *connection, uint32_t tag)
{
    if (tag >= connection->queue_depth || !connection->tasks[tag].busy) {
        fail("the target answers task 0x%08x, which is not in flight", tag);
    }
    return &connection->tasks[tag];
}

static void fail_task(const struct connection *connection, const struct task *task)
{
    const uint8_t *sense = connection->segment + 2; /* after its length, RFC 7143 §11.4.7.2 */
    const char *what = task->writes ? "write" : "read";
    unsigned long long lba = task->block * (connection->load->block_bytes / connection->load->lu_block_bytes);
    unsigned status = connection->header[AT_STATUS];

    if (status == STATUS_CHECK_CONDITION && connection->segment_length >= 2 + 14) {
        fail("%s at LBA %llu failed: CHECK CONDITION, sense key %u, additional sense 0x%02x/0x%02x", what, lba, sense[2] & 0x0f,
             sense[12], sense[13]);
    }
    fail("%s at LBA %llu failed: response 0x%02x, status 0x%02x", what, lba, connection->header[AT_RESPONSE], status);
}

static void finish_task(struct connection *connection, uint32_t tag, uint64_t now)
{
    struct load *load = connection->load;
    struct task *task = &connection->tasks[tag];

    if (load->verify != NULL && task->writes) {
        load->verify->acknowledged[task->block] = load->verify->issued[task->block];
    } else if (load->verify != NULL) {
        block_check(load->verify, task->block, task->oldest_allowed, task->buffer);
    }
    latency_add(&load->latency, now - task->sent_ns);
    load->done++;
    load->last_done_ns = now;
    task->busy = false;
    connection->idle[connection->idle_count++] = tag;
}

static void end_task(struct connection *connection, uint64_t now)
{
    struct load *load = connection->load;
    uint32_t tag = get32(connection->header + AT_TASK_TAG);
    struct task *task = task_of(connection, tag);
    bool is_data_in = (connection->header[0] & OPCODE_MASK) == DATA_IN;

    /* Byte 2 of a Data-In is reserved; of a SCSI Response it must be "completed at target". */
    if (connection->header[AT_STATUS] != STATUS_GOOD || (!is_data_in && connection->header[AT_RESPONSE] != 0)) {
        fail_task(connection, task);
    }
    if ((connection->header[AT_FLAGS] & RESIDUAL_FLAGS) != 0 || (!task->writes && task->received != load->block_bytes)) {
        fail("a read or write of %u bytes ended GOOD but short (%u bytes came)", load->block_bytes, task->received);
    }
    finish_task(connection, tag, now);
}

static void answer_r2t(struct connection *connection)
{
    const uint8_t *header = connection->header;
    uint32_t tag = get32(header + AT_TASK_TAG);
    uint32_t offset = get32(header + AT_BUFFER_OFFSET), length = get32(header + AT_R2T_LENGTH);
    const struct task *task = task_of(connection, tag);

    if (!task->writes || length == 0 || (uint64_t)offset + length > connection->load->block_bytes) {
        fail("the target asks for %u bytes at %u of a %s of %u", length, offset, task->writes ? "write" : "read",
             connection->load->block_bytes);
    }
    send_burst(connection, tag, get32(header + AT_TRANSFER_TAG), offset, length);
}

static void answer_ping(struct connection *connection)
{
    uint8_t pong[HEADER_BYTES];

    if (session_pong(&connection->session, connection->header, pong)) {
        memcpy(enqueue(connection, NULL, 0), pong, HEADER_BYTES);
    }
}

/* A header is complete: says where its payload goes. */
static void begin_pdu(struct connection *connection)
{
    const uint8_t *header = connection->header;
    uint32_t length = get24(header + AT_DATA_LENGTH);

    if (header[AT_AHS_WORDS] != 0) {
        fail("the target sent an additional header segment");
    }
    connection->payload_left = padded(length);
    connection->segment_length = 0;
    connection->data_in = NULL;
    if ((header[0] & OPCODE_MASK) == DATA_IN) {
        struct task *task = task_of(connection, get32(header + AT_TASK_TAG));
        uint32_t offset = get32(header + AT_BUFFER_OFFSET);
        /* DataPDUInOrder=Yes and DataSequenceInOrder=Yes: no gaps, no repeats. */
        if (task->writes || offset != task->received || length > connection->load->block_bytes - offset || length % 4 != 0) {
            fail("the target sent %u bytes at %u of a %s that has %u of %u", length, offset, task->writes ? "write" : "read",
                 task->received, connection->load->block_bytes);
        }
        connection->data_in = task;
    }
}

static void end_pdu(struct connection *connection, uint64_t now)
{
    const uint8_t *header = connection->header;

    connection->header_length = 0;
    session_numbers(&connection->session, header);
    switch (header[0] & OPCODE_MASK) {
    case DATA_IN:
        if ((header[AT_FLAGS] & DATA_IN_HAS_STATUS) != 0) {
            end_task(connection, now);
        }
        break;
    case SCSI_RESPONSE: end_task(connection, now); break;
    case READY_TO_TRANSFER: answer_r2t(connection); break;
    case NOP_IN: answer_ping(connection); break;
    case ASYNC_MESSAGE: break; /* what it announces, a lost connection, is noticed when it comes */
    case REJECT: fail("the target rejects a PDU, reason 0x%02x", header[AT_RESPONSE]);
    default: fail("the target sent a PDU of opcode 0x%02x", header[0] & OPCODE_MASK);
    }
}

/* The same for NBD: the data of a read stand right behind its reply, and nothing else has any. */
static void begin_answer(struct connection *connection)
{
    if (!connection->session.nbd) {
        begin_pdu(connection);
        return;
    }
    struct task *task = task_of(connection, nbd_reply_tag(connection->header));
    connection->payload_left = task->writes ? 0 : connection->load->block_bytes;
    connection->data_in = task;
}

static void end_answer(struct connection *connection, uint64_t now)
{
    if (connection->session.nbd) {
        connection->header_length = 0;
        finish_task(connection, nbd_reply_tag(connection->header), now);
    } else {
        end_pdu(connection, now);
    }
}

/* Takes payload from the bytes; returns how much. */
static size_t take_payload(struct connection *connection, const uint8_t *bytes, size_t length)
{
    size_t taken = length < connection->payload_left ? length : connection->payload_left;
    struct task *task = connection->data_in;

    if (task != NULL) {
        if (task->buffer != NULL) {
            memcpy(task->buffer + task->received, bytes, taken);
        }
        task->received += (uint32_t)taken;
    } else {
        size_t room = sizeof(connection->segment) - connection->segment_length;
        size_t kept = taken < room ? taken : room;
        memcpy(connection->segment + connection->segment_length, bytes, kept);
        connection->segment_length += (uint32_t)kept;
    }
    connection->payload_left -= (uint32_t)taken;
    return taken;
}

static size_t take_header(struct connection *connection, const uint8_t *bytes, size_t length)
{
    size_t missing = connection->session.answer_bytes - connection->header_length;
    size_t taken = length < missing ? length : missing;

    memcpy(connection->header + connection->header_length, bytes, taken);
    connection->header_length += (uint32_t)taken;
    if (connection->header_length == connection->session.answer_bytes) {
        begin_answer(connection);
    }
    return taken;
}

void connection_read(struct connection *connection, uint8_t *buffer, size_t capacity)
{
    ssize_t received = recv(connection->session.fd, buffer, capacity, 0);

    if (received == 0) {
        fail("the target closed the connection with %u I/Os in flight", connection->queue_depth - connection->idle_count);
    }
    if (received < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return;
        }
        fail("cannot receive: %s", strerror(errno));
    }
    /* All of it was there when recv returned: one look at the clock is right for all of it, and cheap. */
    uint64_t now = now_ns();
    for (size_t at = 0; at < (size_t)received;) {
        if (connection->header_length < connection->session.answer_bytes) {
            at += take_header(connection, buffer + at, (size_t)received - at);
        } else {
            at += take_payload(connection, buffer + at, (size_t)received - at);
        }
        if (connection->header_length == connection->session.answer_bytes && connection->payload_left == 0) {
            end_answer(connection, now);
        }
    }
    connection_fill(connection, now);
}
