#include "session.h"

#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    MAX_TEXT_BYTES = 16384,
    MAX_LOGIN_STEPS = 10,
    /* Unit attentions (power on, new initiator, changed LUs) come one per command; more than a few are no news any more. */
    MAX_UNIT_ATTENTIONS = 8,
    /* RFC 7143 §13.12: what a side takes that did not say. */
    DEFAULT_MAX_SEGMENT = 8192,
    STAGE_OPERATIONAL = 1,
    STAGE_FULL_FEATURE = 3,
    TRANSIT = 0x80,
    CONTINUE = 0x40,
    /* Tags of the commands before and after the load; the load uses its task numbers. */
    SETUP_TAG = 0x7fff0000,
    UNIT_ATTENTION = 0x06,
};

struct text {
    char bytes[MAX_TEXT_BYTES];
    uint32_t length;
};

/* Returns the length of the data segment, which must fit. */
static uint32_t receive_pdu(struct session *session, uint8_t *header, void *data, uint32_t capacity)
{
    receive_all(session->fd, header, HEADER_BYTES);
    uint32_t length = get24(header + AT_DATA_LENGTH);
    if (header[AT_AHS_WORDS] != 0 || padded(length) > capacity) {
        fail("the target sent a PDU (opcode 0x%02x) of %u bytes where at most %u make sense", header[0] & OPCODE_MASK, length,
             capacity);
    }
    receive_all(session->fd, data, padded(length));
    session_numbers(session, header);
    return length;
}

void session_header(const struct session *session, uint8_t *header, uint8_t opcode, uint8_t flags, uint32_t task_tag)
{
    memset(header, 0, HEADER_BYTES);
    header[0] = opcode;
    header[AT_FLAGS] = flags;
    /* SAM-5 §4.7.7.5: flat addressing from 256 up, peripheral device addressing below. */
    put16(header + AT_LUN, session->lun < 256 ? session->lun : 0x4000u | session->lun);
    put32(header + AT_TASK_TAG, task_tag);
    put32(header + AT_EXP_STAT_SN, session->exp_stat_sn);
}

static bool carries_status(const uint8_t *header)
{
    switch (header[0] & OPCODE_MASK) {
    case DATA_IN: return (header[AT_FLAGS] & DATA_IN_HAS_STATUS) != 0;
    case READY_TO_TRANSFER: return false;
    case NOP_IN: return get32(header + AT_TASK_TAG) != NO_TAG;
    default: return true;
    }
}

void session_numbers(struct session *session, const uint8_t *header)
{
    uint32_t exp_cmd_sn = get32(header + AT_EXP_CMD_SN);
    uint32_t max_cmd_sn = get32(header + AT_MAX_CMD_SN);

    if (carries_status(header)) {
        uint32_t stat_sn = get32(header + AT_STAT_SN);
        if (session->has_stat_sn && stat_sn != session->exp_stat_sn) {
            fail("the target's StatSN is %u where %u comes next", stat_sn, session->exp_stat_sn);
        }
        session->has_stat_sn = true;
        session->exp_stat_sn = stat_sn + 1;
    }
    /* RFC 7143 §4.2.2.1: a window that would be negative, or older than what we know, is to be ignored. */
    if (!is_after(exp_cmd_sn - 1, max_cmd_sn) && is_after(max_cmd_sn, session->max_cmd_sn)) {
        session->max_cmd_sn = max_cmd_sn;
    }
}

static int dial(const struct options *options)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    int error = getaddrinfo(options->host, options->port, &hints, &addresses);

    if (error != 0) {
        fail("%s port %s: %s", options->host, options->port, gai_strerror(error));
    }
    int fd = socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {
        .tv_sec = (time_t)options->timeout_seconds,
        .tv_usec = (suseconds_t)((options->timeout_seconds - (double)(time_t)options->timeout_seconds) * 1e6),
    };
    int one = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0
        || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0
        || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0) {
        fail("cannot make a socket: %s", strerror(errno));
    }
    if (connect(fd, addresses->ai_addr, addresses->ai_addrlen) != 0) {
        fail("cannot connect to %s port %s: %s", options->host, options->port, strerror(errno));
    }
    freeaddrinfo(addresses);
    return fd;
}

static void __attribute__((format(printf, 2, 3))) text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof(text->bytes) - text->length;

    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) {
        fail("the login text is too long");
    }
    text->length += (uint32_t)length + 1;
}

/* The value of a key, or NULL. */
static const char *text_find(const struct text *text, const char *key)
{
    size_t key_length = strlen(key);

    for (uint32_t at = 0; at < text->length;) {
        const char *pair = text->bytes + at;
        uint32_t length = (uint32_t)strnlen(pair, text->length - at);
        if (length > key_length && pair[key_length] == '=' && strncmp(pair, key, key_length) == 0) {
            return pair + key_length + 1;
        }
        at += length + 1;
    }
    return NULL;
}

static void offer_keys(struct text *text, const struct options *options)
{
    const struct offer *offer = &options->offer;

    text_add(text, "InitiatorName=iqn.2026-11.io.holdfast:iscsi-load");
    text_add(text, "TargetName=%s", options->target);
    text_add(text, "SessionType=Normal");
    text_add(text, "HeaderDigest=None");
    text_add(text, "DataDigest=None");
    text_add(text, "InitialR2T=%s", offer->initial_r2t ? "Yes" : "No");
    text_add(text, "ImmediateData=%s", offer->immediate_data ? "Yes" : "No");
    text_add(text, "MaxBurstLength=%u", offer->max_burst);
    text_add(text, "FirstBurstLength=%u", offer->first_burst);
    text_add(text, "MaxRecvDataSegmentLength=%u", offer->max_segment);
    text_add(text, "MaxOutstandingR2T=%u", offer->max_outstanding_r2t);
    text_add(text, "MaxConnections=1");
    text_add(text, "DefaultTime2Wait=2");
    text_add(text, "DefaultTime2Retain=0");
    text_add(text, "ErrorRecoveryLevel=0");
    text_add(text, "DataPDUInOrder=Yes");
    text_add(text, "DataSequenceInOrder=Yes");
}

static void send_login(const struct session *session, unsigned number, bool transit, const struct text *text)
{
    static const uint8_t PADDING[4];
    uint8_t header[HEADER_BYTES];

    session_header(session, header, LOGIN_REQUEST | IMMEDIATE, STAGE_OPERATIONAL << 2, 0);
    if (transit) {
        header[AT_FLAGS] |= TRANSIT | STAGE_FULL_FEATURE;
    }
    put24(header + AT_DATA_LENGTH, text->length);
    /* A random-format ISID (RFC 7143 §11.12.5): the process tells programs apart, the qualifier their sessions. */
    header[AT_LOGIN_ISID] = 0x80;
    put24(header + AT_LOGIN_ISID + 1, (uint32_t)getpid());
    put16(header + AT_LOGIN_ISID + 4, number);
    put32(header + AT_CMD_SN, session->cmd_sn);
    send_all(session->fd, header, HEADER_BYTES);
    send_all(session->fd, text->bytes, text->length);
    send_all(session->fd, PADDING, padded(text->length) - text->length);
}

static void check_login_status(const uint8_t *header, const struct text *text)
{
    enum { SUCCESS = 0, REDIRECTION = 1, INITIATOR_ERROR = 2 };
    unsigned status = header[AT_LOGIN_STATUS_CLASS], detail = header[AT_LOGIN_STATUS_DETAIL];
    const char *address = text_find(text, "TargetAddress");

    if (status == REDIRECTION) {
        fail("the target redirects to %s; a measurement must not follow, name the server itself",
             address == NULL ? "an address it does not tell" : address);
    }
    if (status != SUCCESS) {
        fail("login refused with status %02u%02u (%s; RFC 7143 §11.13.5)", status, detail,
             status == INITIATOR_ERROR ? "it blames the initiator" : "it blames itself");
    }
}

static bool answered_yes(const struct text *answers, const char *key, bool fallback)
{
    const char *value = text_find(answers, key);
    return value == NULL ? fallback : strcmp(value, "Yes") == 0;
}

static uint32_t answered_number(const struct text *answers, const char *key, uint32_t fallback)
{
    const char *value = text_find(answers, key);
    unsigned long number = value == NULL ? 0 : strtoul(value, NULL, 10);
    /* "Irrelevant" and "Reject" leave the key as it was. */
    return number == 0 || number > UINT32_MAX ? fallback : (uint32_t)number;
}

static void settle(struct session *session, const struct offer *offer, const struct text *answers)
{
    static const char *const DIGESTS[] = {"HeaderDigest", "DataDigest"};

    for (unsigned i = 0; i < 2; i++) {
        const char *digest = text_find(answers, DIGESTS[i]);
        if (digest != NULL && strcmp(digest, "None") != 0) {
            fail("the target wants %s=%s; only None is measured", DIGESTS[i], digest);
        }
    }
    /* InitialR2T is Yes if one side says so, ImmediateData if both do (RFC 7143 §13.10, §13.11). */
    session->initial_r2t = offer->initial_r2t || answered_yes(answers, "InitialR2T", true);
    session->immediate_data = offer->immediate_data && answered_yes(answers, "ImmediateData", true);
    uint32_t first_burst = answered_number(answers, "FirstBurstLength", offer->first_burst);
    session->first_burst = (first_burst < offer->first_burst ? first_burst : offer->first_burst) & ~3u;
    /* Whole words only: then no PDU but the last of a task would need padding, and a block is never odd. */
    session->target_max_segment = answered_number(answers, "MaxRecvDataSegmentLength", DEFAULT_MAX_SEGMENT) & ~3u;
}

static void log_in(struct session *session, const struct options *options, unsigned number)
{
    struct text offers = {.length = 0}, nothing = {.length = 0}, answers = {.length = 0};
    uint8_t header[HEADER_BYTES];
    bool more_answers = false;

    offer_keys(&offers, options);
    for (int step = 0; step < MAX_LOGIN_STEPS; step++) {
        send_login(session, number, !more_answers, step == 0 ? &offers : &nothing);
        uint32_t length = receive_pdu(session, header, answers.bytes + answers.length, MAX_TEXT_BYTES - answers.length);
        if ((header[0] & OPCODE_MASK) != LOGIN_RESPONSE) {
            fail("the target answers a login with opcode 0x%02x", header[0] & OPCODE_MASK);
        }
        answers.length += length;
        check_login_status(header, &answers);
        more_answers = (header[AT_FLAGS] & CONTINUE) != 0;
        if ((header[AT_FLAGS] & TRANSIT) != 0 && (header[AT_FLAGS] & 3) == STAGE_FULL_FEATURE) {
            settle(session, &options->offer, &answers);
            return;
        }
    }
    fail("the target does not come to an end with the login");
}

void session_open(struct session *session, const struct options *options, unsigned number)
{
    *session = (struct session){
        .fd = dial(options),
        .nbd = options->nbd,
        .lun = options->lun,
        .cmd_sn = 1,
        .max_cmd_sn = options->nbd ? 1 : 0,
        .request_bytes = options->nbd ? NBD_REQUEST_BYTES : HEADER_BYTES,
        .answer_bytes = options->nbd ? NBD_REPLY_BYTES : HEADER_BYTES,
    };
    if (options->nbd) {
        session->nbd_bytes = nbd_open(session->fd, options->target);
    } else {
        log_in(session, options, number);
    }
}

bool session_pong(const struct session *session, const uint8_t *ping, uint8_t *header)
{
    uint32_t transfer_tag = get32(ping + AT_TRANSFER_TAG);

    if (transfer_tag == NO_TAG) {
        return false; /* it only tells its numbers */
    }
    session_header(session, header, NOP_OUT | IMMEDIATE, FINAL, NO_TAG);
    memcpy(header + AT_LUN, ping + AT_LUN, 8);
    put32(header + AT_TRANSFER_TAG, transfer_tag);
    put32(header + AT_CMD_SN, session->cmd_sn);
    return true;
}

/* The next PDU that is no ping; pings are answered. */
static uint32_t receive_answer(struct session *session, uint8_t *header, void *data, uint32_t capacity)
{
    for (;;) {
        uint8_t pong[HEADER_BYTES];
        uint32_t length = receive_pdu(session, header, data, capacity);
        if ((header[0] & OPCODE_MASK) != NOP_IN) {
            return length;
        }
        if (session_pong(session, header, pong)) {
            send_all(session->fd, pong, HEADER_BYTES);
        }
    }
}

/* Runs one command that reads at most `capacity` bytes. Returns false after a unit attention, which is used up by that. */
static bool run_command(struct session *session, const uint8_t *cdb, uint32_t cdb_length, uint8_t *data, uint32_t capacity)
{
    uint8_t header[HEADER_BYTES], segment[256];
    uint8_t flags = FINAL | ATTRIBUTE_SIMPLE | (capacity > 0 ? COMMAND_READS : 0);

    session_header(session, header, SCSI_COMMAND, flags, SETUP_TAG);
    put32(header + AT_COMMAND_EXPECTED_LENGTH, capacity);
    put32(header + AT_CMD_SN, session->cmd_sn++);
    memcpy(header + AT_COMMAND_CDB, cdb, cdb_length);
    send_all(session->fd, header, HEADER_BYTES);
    for (;;) {
        uint32_t length = receive_answer(session, header, segment, sizeof(segment));
        uint8_t opcode = header[0] & OPCODE_MASK;
        if (opcode == DATA_IN) {
            memcpy(data, segment, length < capacity ? length : capacity);
        }
        bool ends = opcode == SCSI_RESPONSE || (opcode == DATA_IN && (header[AT_FLAGS] & DATA_IN_HAS_STATUS) != 0);
        if (!ends) {
            continue;
        }
        if (header[AT_STATUS] == STATUS_GOOD) {
            return true;
        }
        /* Two bytes of length stand before the sense data (RFC 7143 §11.4.7.2). */
        unsigned key = length > 4 ? segment[4] & 0x0f : 0;
        if (header[AT_STATUS] != STATUS_CHECK_CONDITION || key != UNIT_ATTENTION) {
            fail("LUN %u refuses command 0x%02x: status 0x%02x, sense key %u", session->lun, cdb[0], header[AT_STATUS], key);
        }
        return false;
    }
}

struct capacity session_capacity(struct session *session)
{
    static const uint8_t READ_CAPACITY_16[16] = {0x9e, 0x10, [13] = 32};
    uint8_t data[32] = {0};

    if (session->nbd) {
        return (struct capacity){.blocks = session->nbd_bytes / NBD_SECTOR_BYTES, .block_bytes = NBD_SECTOR_BYTES};
    }
    for (int attempt = 0; attempt < MAX_UNIT_ATTENTIONS; attempt++) {
        if (run_command(session, READ_CAPACITY_16, sizeof(READ_CAPACITY_16), data, sizeof(data))) {
            struct capacity capacity = {.blocks = get64(data) + 1, .block_bytes = get32(data + 8)};
            if (capacity.block_bytes == 0) {
                fail("LUN %u says its blocks have no bytes", session->lun);
            }
            return capacity;
        }
    }
    fail("LUN %u answers every command with a unit attention", session->lun);
}

void session_close(struct session *session)
{
    uint8_t header[HEADER_BYTES], segment[256];

    /* The load has made the socket non-blocking. */
    fcntl(session->fd, F_SETFL, fcntl(session->fd, F_GETFL) & ~O_NONBLOCK);
    if (session->nbd) {
        nbd_close(session->fd);
        close(session->fd);
        return;
    }
    session_header(session, header, LOGOUT_REQUEST | IMMEDIATE, FINAL, SETUP_TAG);
    memset(header + AT_LUN, 0, 8);
    put32(header + AT_CMD_SN, session->cmd_sn);
    send_all(session->fd, header, HEADER_BYTES);
    do {
        receive_answer(session, header, segment, sizeof(segment));
    } while ((header[0] & OPCODE_MASK) != LOGOUT_RESPONSE);
    close(session->fd);
}
