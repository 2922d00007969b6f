/*
 * The proof for a host that loses power: what a server was seen to ask of the kernel (strace) against what it told its
 * initiators and when (durability --records).
 *
 * A write is durable from the moment at which the kernel ended a write of it with RWF_DSYNC, or ended an fdatasync of the image that
 * began after the write had ended. Cutting the power at any moment keeps what is durable by then, and perhaps more. So
 * nothing acknowledged is ever lost if
 *   - each write with FUA, and with the write cache off each write, was durable when its acknowledgement was read;
 *   - each SYNCHRONIZE CACHE was acknowledged after every write was durable that had been acknowledged when it was sent.
 * Both clocks are the host's. strace notes the end of a call before it lets the caller go on, so an honest server's
 * acknowledgement is always the later one.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 4096, MAX_THREADS = 4096 };

struct call {
    bool syncs, durable;            /* an fdatasync; a write with RWF_DSYNC */
    uint64_t offset, length, start_ns, end_ns;
};

struct record {
    char kind;                      /* 'w'rite, 'f'ua, 's'ync */
    uint64_t offset, length, sent_ns, acknowledged_ns;
    uint64_t durable_ns;            /* of a write */
};

struct list {
    void *items;
    size_t count, room, size;
};

static void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("replay: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *append(struct list *list)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 4096 : 2 * list->room;
        list->items = realloc(list->items, list->room * list->size);
        if (list->items == NULL) {
            fail("no memory");
        }
    }
    return (char *)list->items + list->count++ * list->size;
}

/* "1700000000.123456789" in ns */
static uint64_t nanoseconds(const char *text)
{
    char *dot;
    uint64_t seconds = strtoull(text, &dot, 10);

    return seconds * 1000000000u + (*dot == '.' ? strtoull(dot + 1, NULL, 10) : 0);
}

/*
 * 1234 1700000000.123456789 pwritev2(7</tmp/disk.img>, [...], 1, 8192, RWF_DSYNC) = 4096 <0.000123456>
 * or its first half with <unfinished ...>, and later: 1234 1700000000.2 <... pwritev2 resumed>…) = 4096 <0.000123456>
 */
static bool parse_call(const char *text, uint64_t start_ns, struct call *call)
{
    const char *took = strrchr(text, '<'), *result = strrchr(text, '=');

    if (took == NULL || result == NULL || result > took) {
        return false;
    }
    long long returned = strtoll(result + 1, NULL, 10);
    *call = (struct call){.start_ns = start_ns, .end_ns = start_ns + nanoseconds(took + 1)};
    if (strncmp(text, "fdatasync(", 10) == 0 || strncmp(text, "fsync(", 6) == 0) {
        call->syncs = true;
        return returned == 0;
    }
    const char *vector = strstr(text, "], 1, ");
    if (strncmp(text, "pwritev2(", 9) == 0 && vector != NULL) {
        call->offset = strtoull(vector + 6, NULL, 10);
        call->durable = strstr(vector, "RWF_DSYNC") != NULL;
    } else if (strncmp(text, "pwrite64(", 9) == 0) {
        const char *close = strrchr(text, ')'), *comma = close;
        while (comma > text && *comma != ',') {
            comma--;
        }
        call->offset = strtoull(comma + 1, NULL, 10);
    } else {
        return false;
    }
    call->length = returned > 0 ? (uint64_t)returned : 0;
    return call->length > 0;
}

static void read_trace(const char *path, const char *image, struct list *writes, struct list *syncs, bool without_syncs)
{
    static char *open_text[MAX_THREADS];
    static uint64_t open_ns[MAX_THREADS];
    static long open_thread[MAX_THREADS];
    char line[MAX_LINE];
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        fail("cannot read %s", path);
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        char *rest, *text;
        long thread = strtol(line, &rest, 10);
        uint64_t at_ns = nanoseconds(rest + strspn(rest, " "));
        text = strchr(rest + strspn(rest, " "), ' ');
        if (text == NULL) {
            continue;
        }
        text++;
        char *joined = NULL, *unfinished = strstr(text, " <unfinished ...>");
        unsigned slot = 0;
        if (unfinished != NULL || strncmp(text, "<... ", 5) == 0) {
            while (slot < MAX_THREADS && open_text[slot] != NULL && open_thread[slot] != thread) {
                slot++;
            }
            if (slot == MAX_THREADS) {
                fail("more than %d threads", MAX_THREADS);
            }
        }
        if (unfinished != NULL) {
            *unfinished = 0;
            free(open_text[slot]);
            open_text[slot] = strdup(text);
            open_ns[slot] = at_ns;
            open_thread[slot] = thread;
            continue;
        }
        if (strncmp(text, "<... ", 5) == 0) {
            char *tail = strstr(text, "resumed>");
            if (open_text[slot] == NULL || tail == NULL || *open_text[slot] == 0) {
                continue;
            }
            joined = malloc(strlen(open_text[slot]) + strlen(tail) + 1);
            sprintf(joined, "%s%s", open_text[slot], tail + 8);
            at_ns = open_ns[slot];
            *open_text[slot] = 0;
            text = joined;
        }
        struct call call;
        if (strstr(text, image) != NULL && parse_call(text, at_ns, &call) && !(without_syncs && (call.syncs || call.durable))) {
            *(struct call *)append(call.syncs ? syncs : writes) = call;
        }
        free(joined);
    }
    fclose(file);
}

static void read_records(const char *path, struct list *records)
{
    char kind[16];
    struct record record = {0};
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        fail("cannot read %s", path);
    }
    while (fscanf(file, "%15s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, kind, &record.offset, &record.length,
                  &record.sent_ns, &record.acknowledged_ns) == 5) {
        record.kind = kind[0];
        *(struct record *)append(records) = record;
    }
    fclose(file);
}

static int by_start(const void *left, const void *right)
{
    const struct call *a = left, *b = right;
    return a->start_ns < b->start_ns ? -1 : a->start_ns > b->start_ns;
}

static int by_offset(const void *left, const void *right)
{
    const struct call *a = left, *b = right;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static int by_sent(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    return a->sent_ns < b->sent_ns ? -1 : a->sent_ns > b->sent_ns;
}

/* The end of the first fdatasync to end of those that began at or after a moment; UINT64_MAX if there is none. */
static uint64_t synced_after(const struct list *syncs, const uint64_t *first_end, uint64_t ns)
{
    const struct call *calls = syncs->items;
    size_t low = 0, high = syncs->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (calls[middle].start_ns < ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < syncs->count ? first_end[low] : UINT64_MAX;
}

/*
 * When the acknowledged write was durable: the kernel must have been asked, between its being sent and its being acknowledged, to
 * write each of its bytes. A write in pieces is as durable as the last of them.
 */
static uint64_t durable_at(const struct record *record, const struct list *writes, const uint64_t *longest, const struct list *syncs,
                           const uint64_t *first_end)
{
    const struct call *calls = writes->items;
    uint64_t at = record->offset, end = record->offset + record->length, durable_ns = 0;

    while (at < end) {
        uint64_t best_ns = UINT64_MAX, best_end = at;
        size_t low = 0, high = writes->count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (calls[middle].offset <= at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for (size_t i = low; i-- > 0 && calls[i].offset + *longest > at;) {
            const struct call *call = &calls[i];
            if (call->offset + call->length <= at || call->start_ns < record->sent_ns || call->end_ns > record->acknowledged_ns) {
                continue;
            }
            uint64_t ns = call->durable ? call->end_ns : synced_after(syncs, first_end, call->end_ns);
            if (ns <= best_ns) {
                best_ns = ns;
                best_end = call->offset + call->length;
            }
        }
        if (best_end == at) {
            return UINT64_MAX; /* never written, or only after it was acknowledged */
        }
        durable_ns = best_ns > durable_ns ? best_ns : durable_ns;
        at = best_end;
    }
    return durable_ns;
}

int main(int count, char **words)
{
    struct list writes = {.size = sizeof(struct call)}, syncs = writes, records = {.size = sizeof(struct record)};
    bool write_through = false, without_syncs = false;
    int word = 1;

    for (; word < count && strncmp(words[word], "--", 2) == 0; word++) {
        write_through |= strcmp(words[word], "--write-through") == 0;
        without_syncs |= strcmp(words[word], "--without-syncs") == 0;
    }
    if (count - word != 3) {
        fputs("Usage: replay [--write-through] [--without-syncs] TRACE RECORDS IMAGE-NAME\n"
              "  --write-through   every write must be durable before its acknowledgement\n"
              "  --without-syncs   the control run: as if the server had synced nothing\n", stderr);
        return 2;
    }
    read_trace(words[word], words[word + 2], &writes, &syncs, without_syncs);
    read_records(words[word + 1], &records);
    if (records.count == 0 || writes.count + syncs.count == 0) {
        if (!without_syncs) {
            fail("%zu acknowledgements, %zu writes and %zu syncs: nothing to judge", records.count, writes.count, syncs.count);
        }
    }

    qsort(syncs.items, syncs.count, sizeof(struct call), by_start);
    qsort(writes.items, writes.count, sizeof(struct call), by_offset);
    qsort(records.items, records.count, sizeof(struct record), by_sent);
    uint64_t longest = 0, *first_end = calloc(syncs.count + 1, sizeof(uint64_t));
    uint64_t *first_flush = calloc(records.count + 1, sizeof(uint64_t));
    if (first_end == NULL || first_flush == NULL) {
        fail("no memory");
    }
    for (size_t i = 0; i < writes.count; i++) {
        uint64_t length = ((struct call *)writes.items)[i].length;
        longest = length > longest ? length : longest;
    }
    first_end[syncs.count] = UINT64_MAX;
    for (size_t i = syncs.count; i-- > 0;) {
        uint64_t end = ((struct call *)syncs.items)[i].end_ns;
        first_end[i] = end < first_end[i + 1] ? end : first_end[i + 1];
    }
    /* The first flush to be acknowledged of those that were sent at or after this record. */
    struct record *all = records.items;
    first_flush[records.count] = UINT64_MAX;
    for (size_t i = records.count; i-- > 0;) {
        uint64_t acknowledged = all[i].kind == 's' ? all[i].acknowledged_ns : UINT64_MAX;
        first_flush[i] = acknowledged < first_flush[i + 1] ? acknowledged : first_flush[i + 1];
    }

    uint64_t acknowledged[3] = {0}, violations = 0;
    for (size_t i = 0; i < records.count; i++) {
        struct record *record = &all[i];
        acknowledged[record->kind == 'w' ? 0 : record->kind == 'f' ? 1 : 2]++;
        if (record->kind == 's') {
            continue;
        }
        uint64_t durable_ns = durable_at(record, &writes, &longest, &syncs, first_end), needed_ns = UINT64_MAX;
        size_t low = 0, high = records.count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (all[middle].sent_ns < record->acknowledged_ns) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        needed_ns = first_flush[low];
        if (record->kind == 'f' || write_through) {
            needed_ns = record->acknowledged_ns;
        }
        if (durable_ns > needed_ns) {
            if (violations++ < 5) {
                fprintf(stderr, "replay: %" PRIu64 " bytes at %" PRIu64 " could have been lost: needed to be durable at %" PRIu64
                        ", were at %" PRIu64 "\n", record->length, record->offset, needed_ns, durable_ns);
            }
        }
    }
    printf("writes=%" PRIu64 " fua=%" PRIu64 " syncs=%" PRIu64 " fdatasyncs=%zu violations=%" PRIu64 "\n", acknowledged[0],
           acknowledged[1], acknowledged[2], syncs.count, violations);
    return violations == 0 ? 0 : 1;
}
