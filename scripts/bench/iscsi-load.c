/*
 * iscsi-load: one thread, one loop, as little work per I/O as it can do, so that the server is what is measured.
 * The options are in options.c; --help prints them.
 */
#include "blocks.h"
#include "connection.h"
#include "options.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

/* Small enough to stay in a core's cache. */
enum { RECEIVE_BYTES = 256 << 10 };

struct result {
    uint64_t ios;
    double seconds;
    double client_cpu_seconds;
};

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void watch(int poller, int operation, struct connection *connection)
{
    struct epoll_event interest = {
        .events = EPOLLIN | (connection->waits_for_room ? (uint32_t)EPOLLOUT : 0),
        .data.ptr = connection,
    };
    if (epoll_ctl(poller, operation, connection->session.fd, &interest) != 0) {
        fail("epoll: %s", strerror(errno));
    }
}

static bool all_idle(const struct connection *connections, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!connection_is_idle(&connections[i])) {
            return false;
        }
    }
    return true;
}

/* Sends until the load or the time is used up (deadline 0: only the load), then waits for the last answer. */
static void run_until(struct connection *connections, const struct options *options, struct load *load, uint64_t deadline_ns)
{
    static uint8_t buffer[RECEIVE_BYTES];
    struct epoll_event events[MAX_CONNECTIONS];
    int patience_ms = (int)(options->timeout_seconds * 1000);
    int poller = epoll_create1(EPOLL_CLOEXEC);

    for (unsigned i = 0; i < options->connections; i++) {
        connection_fill(&connections[i], now_ns());
        connection_flush(&connections[i]);
        watch(poller, EPOLL_CTL_ADD, &connections[i]);
    }
    while (load->sent < load->to_send || !all_idle(connections, options->connections)) {
        int count = epoll_wait(poller, events, MAX_CONNECTIONS, patience_ms);
        if (count == 0) {
            fail("nothing arrived for %g s (%llu I/Os done, %llu sent)", options->timeout_seconds,
                 (unsigned long long)load->done, (unsigned long long)load->sent);
        }
        if (deadline_ns != 0 && load->sent < load->to_send && now_ns() >= deadline_ns) {
            load->to_send = load->sent;
        }
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            bool waited = connection->waits_for_room;
            if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0) {
                connection_read(connection, buffer, sizeof(buffer));
            }
            connection_flush(connection);
            if (waited != connection->waits_for_room) {
                watch(poller, EPOLL_CTL_MOD, connection);
            }
        }
    }
    close(poller);
}

/* One pass over the whole span, in order; its I/Os are not part of the result. */
static void run_pass(struct connection *connections, const struct options *options, struct load *load, enum mode mode)
{
    struct load saved = *load;

    load->mode = mode;
    load->access = ACCESS_SEQUENTIAL;
    load->next = 0;
    load->sent = 0;
    load->to_send = load->blocks;
    run_until(connections, options, load, 0);
    *load = saved;
}

static struct result run_measured(struct connection *connections, const struct options *options, struct load *load)
{
    uint64_t start_ns = now_ns();
    double start_cpu = cpu_seconds();

    run_until(connections, options, load, start_ns + (uint64_t)(options->seconds * 1e9));
    return (struct result){
        .ios = load->done,
        .seconds = (double)(load->last_done_ns - start_ns) / 1e9,
        .client_cpu_seconds = cpu_seconds() - start_cpu,
    };
}

static struct load make_load(const struct options *options, struct capacity capacity)
{
    if (options->block_bytes % capacity.block_bytes != 0) {
        fail("--block-size %u is no multiple of the LU's block of %u bytes", options->block_bytes, capacity.block_bytes);
    }
    uint64_t lu_bytes = capacity.blocks * capacity.block_bytes;
    if (options->span_bytes > lu_bytes) {
        fail("--span %llu is more than the LU has (%llu bytes)", (unsigned long long)options->span_bytes,
             (unsigned long long)lu_bytes);
    }
    uint64_t span_bytes = options->span_bytes == 0 ? lu_bytes : options->span_bytes;
    uint64_t blocks = span_bytes / options->block_bytes;
    /* Each write of a verifying run needs a block of its own. */
    uint64_t needed = options->verify ? (uint64_t)options->queue_depth * options->connections : 1;
    if (blocks < needed) {
        fail("%llu bytes are %llu blocks of %u; this run needs %llu", (unsigned long long)span_bytes, (unsigned long long)blocks,
             options->block_bytes, (unsigned long long)needed);
    }
    return (struct load){
        .mode = options->mode,
        .access = options->access,
        .read_percent = options->read_percent,
        .block_bytes = options->block_bytes,
        .lu_block_bytes = capacity.block_bytes,
        .blocks = blocks,
        /* The generator must not start at 0, and neighbouring seeds must not start alike. */
        .random = (options->seed + 1) * 0x9e3779b97f4a7c15u | 1,
        .to_send = options->count == 0 ? UINT64_MAX : options->count,
    };
}

static const uint8_t *make_pattern(uint32_t length)
{
    uint8_t *pattern = malloc(length);
    uint64_t random = 88172645463325252u;

    if (pattern == NULL) {
        fail("no memory for a block of %u bytes", length);
    }
    for (uint32_t i = 0; i < length; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        pattern[i] = (uint8_t)random;
    }
    return pattern;
}

static void print_line(const struct options *options, const struct load *load, const struct result *result)
{
    const struct latency *latency = &load->latency;

    printf("%s %s %u B, %u x QD%u: %.0f IOPS, %.1f MiB/s, latency p50 %.0f p99 %.0f p99.9 %.0f max %.0f us, %llu I/Os in %.2f s",
           access_name(options->access), mode_name(options->mode), options->block_bytes, options->connections,
           options->queue_depth, (double)result->ios / result->seconds,
           (double)result->ios * options->block_bytes / result->seconds / (1 << 20), latency_us(latency, 0.5),
           latency_us(latency, 0.99), latency_us(latency, 0.999), (double)latency->max_ns / 1000, (unsigned long long)result->ios,
           result->seconds);
    if (options->verify) {
        printf(", every block read was right");
    }
    if (load->window_waits > 0) {
        printf(" (the target's command window held the queue back %llu times)", (unsigned long long)load->window_waits);
    }
    putchar('\n');
}

static void write_json(const struct options *options, const struct load *load, const struct result *result)
{
    const struct latency *latency = &load->latency;
    FILE *file = strcmp(options->json_path, "-") == 0 ? stdout : fopen(options->json_path, "w");

    if (file == NULL) {
        fail("cannot write %s: %s", options->json_path, strerror(errno));
    }
    fprintf(file,
            "{\"mode\":\"%s\",\"access\":\"%s\",\"block_bytes\":%u,\"queue_depth\":%u,\"connections\":%u,\"verify\":%s,"
            "\"ios\":%llu,\"seconds\":%.6f,\"iops\":%.1f,\"mib_per_s\":%.2f,"
            "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
            "\"client_cpu_percent\":%.1f,\"window_waits\":%llu}\n",
            mode_name(options->mode), access_name(options->access), options->block_bytes, options->queue_depth,
            options->connections, options->verify ? "true" : "false", (unsigned long long)result->ios, result->seconds,
            (double)result->ios / result->seconds, (double)result->ios * options->block_bytes / result->seconds / (1 << 20),
            latency_us(latency, 0.5), latency_us(latency, 0.99), latency_us(latency, 0.999), (double)latency->max_ns / 1000,
            100 * result->client_cpu_seconds / result->seconds, (unsigned long long)load->window_waits);
    if (file == stdout ? fflush(file) != 0 : fclose(file) != 0) {
        fail("cannot write %s: %s", options->json_path, strerror(errno));
    }
}

int main(int count, char **words)
{
    struct options options = parse_options(count, words);
    struct connection *connections = calloc(options.connections, sizeof(struct connection));
    struct blocks blocks;

    if (connections == NULL) {
        fail("no memory for %u connections", options.connections);
    }
    for (unsigned i = 0; i < options.connections; i++) {
        session_open(&connections[i].session, &options, i);
    }
    struct load load = {.blocks = 0};
    for (unsigned i = 0; i < options.connections; i++) {
        /* Every session asks: it has unit attentions of its own to clear. */
        load = make_load(&options, session_capacity(&connections[i].session));
    }
    load.pattern = make_pattern(options.block_bytes);
    if (options.verify) {
        blocks_create(&blocks, load.blocks, options.block_bytes);
        load.verify = &blocks;
    }
    for (unsigned i = 0; i < options.connections; i++) {
        connection_start(&connections[i], &load, options.queue_depth);
    }
    if (options.verify) {
        run_pass(connections, &options, &load, MODE_WRITE);
    }
    struct result result = run_measured(connections, &options, &load);
    if (options.verify) {
        run_pass(connections, &options, &load, MODE_READ);
    }
    for (unsigned i = 0; i < options.connections; i++) {
        session_close(&connections[i].session);
    }
    print_line(&options, &load, &result);
    if (options.json_path != NULL) {
        write_json(&options, &load, &result);
    }
    return 0;
}
