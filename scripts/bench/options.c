#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "Usage: iscsi-load [options] iscsi://HOST[:PORT]/TARGET/LUN | nbd://HOST:PORT[/EXPORT]\n"
    "Loads one LU, or one NBD export for comparison, from one thread and says how fast it answers.\n"
    "\n"
    "  --mode read|write|mixed       what to do (read)\n"
    "  --read-percent N              share of reads in mixed mode (70)\n"
    "  --access random|sequential    which block comes next (random)\n"
    "  --block-size SIZE             bytes per I/O, a multiple of 512 (4K)\n"
    "  --queue-depth N               I/Os in flight per connection (1)\n"
    "  --connections N               sessions of one connection each (1)\n"
    "  --seconds S                   stop sending after S seconds (3)\n"
    "  --count N                     stop sending after N I/Os, if that is sooner\n"
    "  --span SIZE                   use only the first SIZE bytes of the LU (all)\n"
    "  --seed N                      another order of random blocks (1)\n"
    "  --verify                      DESTROYS DATA: fill the span with blocks that carry their address and a\n"
    "                                generation, check every block any read returns, read all of it at the end\n"
    "  --timeout S                   give up when nothing arrives for S seconds (10)\n"
    "  --json FILE                   write the result as one JSON object too; - is standard output\n"
    "\n"
    "Offered at login (as QEMU's initiator does, if not said otherwise):\n"
    "  --initial-r2t yes|no          (no)      --immediate-data yes|no   (yes)\n"
    "  --max-burst SIZE              (256K)    --first-burst SIZE        (256K)\n"
    "  --max-segment SIZE            (256K)    --max-outstanding-r2t N   (1)\n"
    "\n"
    "SIZE takes K, M or G. Latency is from handing a command to the socket to reading its status.\n"
    "Exit code: 0 every I/O succeeded, 1 one failed or the target is gone, 2 wrong usage.\n";

void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("iscsi-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void __attribute__((format(printf, 1, 2), noreturn)) wrong(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("iscsi-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs(" (see --help)\n", stderr);
    va_end(arguments);
    exit(2);
}

const char *mode_name(enum mode mode)
{
    static const char *const NAMES[] = {"read", "write", "mixed"};
    return NAMES[mode];
}

const char *access_name(enum access access)
{
    static const char *const NAMES[] = {"random", "sequential"};
    return NAMES[access];
}

static uint64_t parse_number(const char *name, const char *text, uint64_t low, uint64_t high)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < low || value > high) {
        wrong("--%s '%s': want a number from %llu to %llu", name, text, (unsigned long long)low, (unsigned long long)high);
    }
    return value;
}

static uint64_t parse_size(const char *name, const char *text, uint64_t low, uint64_t high)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = 0;
    switch (*end) {
    case 'K': shift = 10; break;
    case 'M': shift = 20; break;
    case 'G': shift = 30; break;
    default: break;
    }
    if (shift != 0) {
        end++;
    }
    bool fits = value <= UINT64_MAX >> shift;
    value <<= shift;
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || !fits || value < low || value > high) {
        wrong("--%s '%s': want %llu to %llu bytes, K, M and G allowed", name, text, (unsigned long long)low,
              (unsigned long long)high);
    }
    return value;
}

static double parse_seconds(const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value > 0) || value > 86400) {
        wrong("--%s '%s': want seconds, above 0 and at most 86400", name, text);
    }
    return value;
}

static bool parse_yes_no(const char *name, const char *text)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
        wrong("--%s '%s': want yes or no", name, text);
    }
    return text[0] == 'y';
}

static enum mode parse_mode(const char *text)
{
    for (enum mode mode = MODE_READ; mode <= MODE_MIXED; mode++) {
        if (strcmp(text, mode_name(mode)) == 0) {
            return mode;
        }
    }
    wrong("--mode '%s': want read, write or mixed", text);
}

static enum access parse_access(const char *text)
{
    for (enum access access = ACCESS_RANDOM; access <= ACCESS_SEQUENTIAL; access++) {
        if (strcmp(text, access_name(access)) == 0) {
            return access;
        }
    }
    wrong("--access '%s': want random or sequential", text);
}

/* copy FROM..END into a field of the options; an empty or too long part makes the whole URL wrong. */
static void take_part(char *field, size_t capacity, const char *from, const char *end, const char *url)
{
    size_t length = (size_t)(end - from);

    if (length == 0 || length >= capacity) {
        wrong("'%s': want iscsi://HOST[:PORT]/TARGET/LUN or nbd://HOST:PORT[/EXPORT]", url);
    }
    memcpy(field, from, length);
    field[length] = '\0';
}

static const char NBD_SCHEME[] = "nbd://";

static void parse_nbd_url(struct options *options, const char *url)
{
    const char *host = url + strlen(NBD_SCHEME);
    const char *end = host + strcspn(host, "/");
    const char *colon = memchr(host, ':', (size_t)(end - host));

    if (colon == NULL || strlen(end) >= sizeof(options->target)) {
        wrong("'%s': want nbd://HOST:PORT[/EXPORT]", url);
    }
    options->nbd = true;
    take_part(options->host, sizeof(options->host), host, colon, url);
    take_part(options->port, sizeof(options->port), colon + 1, end, url);
    strcpy(options->target, *end == '/' ? end + 1 : end);
}

static void parse_url(struct options *options, const char *url)
{
    static const char SCHEME[] = "iscsi://";

    if (strncmp(url, NBD_SCHEME, strlen(NBD_SCHEME)) == 0) {
        parse_nbd_url(options, url);
        return;
    }
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0) {
        wrong("'%s': want iscsi://HOST[:PORT]/TARGET/LUN", url);
    }
    const char *host = url + strlen(SCHEME);
    const char *target = strchr(host, '/');
    const char *lun = target == NULL ? NULL : strrchr(target + 1, '/');
    if (lun == NULL) {
        wrong("'%s': want iscsi://HOST[:PORT]/TARGET/LUN", url);
    }
    /* An IPv6 address stands in brackets and is full of colons. */
    const char *host_end = *host == '[' ? memchr(host, ']', (size_t)(target - host)) : NULL;
    const char *after_host = host_end == NULL ? host : host_end + 1;
    const char *colon = memchr(after_host, ':', (size_t)(target - after_host));
    if (host_end != NULL) {
        host++;
    } else {
        host_end = colon == NULL ? target : colon;
    }
    take_part(options->host, sizeof(options->host), host, host_end, url);
    if (colon == NULL) {
        strcpy(options->port, "3260");
    } else {
        take_part(options->port, sizeof(options->port), colon + 1, target, url);
    }
    take_part(options->target, sizeof(options->target), target + 1, lun, url);
    options->lun = (unsigned)parse_number("LUN", lun + 1, 0, 16383);
}

enum option_key {
    KEY_MODE = 256, KEY_READ_PERCENT, KEY_ACCESS, KEY_BLOCK_SIZE, KEY_QUEUE_DEPTH, KEY_CONNECTIONS, KEY_SECONDS, KEY_COUNT,
    KEY_SPAN, KEY_SEED, KEY_VERIFY, KEY_TIMEOUT, KEY_JSON, KEY_INITIAL_R2T, KEY_IMMEDIATE_DATA, KEY_MAX_BURST,
    KEY_FIRST_BURST, KEY_MAX_SEGMENT, KEY_MAX_R2T, KEY_HELP,
};

static const struct option LONG_OPTIONS[] = {
    {"mode", required_argument, NULL, KEY_MODE},
    {"read-percent", required_argument, NULL, KEY_READ_PERCENT},
    {"access", required_argument, NULL, KEY_ACCESS},
    {"block-size", required_argument, NULL, KEY_BLOCK_SIZE},
    {"queue-depth", required_argument, NULL, KEY_QUEUE_DEPTH},
    {"connections", required_argument, NULL, KEY_CONNECTIONS},
    {"seconds", required_argument, NULL, KEY_SECONDS},
    {"count", required_argument, NULL, KEY_COUNT},
    {"span", required_argument, NULL, KEY_SPAN},
    {"seed", required_argument, NULL, KEY_SEED},
    {"verify", no_argument, NULL, KEY_VERIFY},
    {"timeout", required_argument, NULL, KEY_TIMEOUT},
    {"json", required_argument, NULL, KEY_JSON},
    {"initial-r2t", required_argument, NULL, KEY_INITIAL_R2T},
    {"immediate-data", required_argument, NULL, KEY_IMMEDIATE_DATA},
    {"max-burst", required_argument, NULL, KEY_MAX_BURST},
    {"first-burst", required_argument, NULL, KEY_FIRST_BURST},
    {"max-segment", required_argument, NULL, KEY_MAX_SEGMENT},
    {"max-outstanding-r2t", required_argument, NULL, KEY_MAX_R2T},
    {"help", no_argument, NULL, KEY_HELP},
    {NULL, 0, NULL, 0},
};

static void take_option(struct options *options, int key, const char *name, const char *value)
{
    /* RFC 7143 §13 limits the three sizes to 512..2^24-1. */
    const uint64_t smallest = 512, largest = (1 << 24) - 1;

    switch (key) {
    case KEY_MODE: options->mode = parse_mode(value); break;
    case KEY_READ_PERCENT: options->read_percent = (unsigned)parse_number(name, value, 0, 100); break;
    case KEY_ACCESS: options->access = parse_access(value); break;
    case KEY_BLOCK_SIZE: options->block_bytes = (uint32_t)parse_size(name, value, 512, MAX_BLOCK_BYTES); break;
    case KEY_QUEUE_DEPTH: options->queue_depth = (unsigned)parse_number(name, value, 1, MAX_QUEUE_DEPTH); break;
    case KEY_CONNECTIONS: options->connections = (unsigned)parse_number(name, value, 1, MAX_CONNECTIONS); break;
    case KEY_SECONDS: options->seconds = parse_seconds(name, value); break;
    case KEY_COUNT: options->count = parse_number(name, value, 1, UINT64_MAX); break;
    case KEY_SPAN: options->span_bytes = parse_size(name, value, 512, UINT64_MAX); break;
    case KEY_SEED: options->seed = parse_number(name, value, 0, UINT64_MAX); break;
    case KEY_VERIFY: options->verify = true; break;
    case KEY_TIMEOUT: options->timeout_seconds = parse_seconds(name, value); break;
    case KEY_JSON: options->json_path = value; break;
    case KEY_INITIAL_R2T: options->offer.initial_r2t = parse_yes_no(name, value); break;
    case KEY_IMMEDIATE_DATA: options->offer.immediate_data = parse_yes_no(name, value); break;
    case KEY_MAX_BURST: options->offer.max_burst = (uint32_t)parse_size(name, value, smallest, largest); break;
    case KEY_FIRST_BURST: options->offer.first_burst = (uint32_t)parse_size(name, value, smallest, largest); break;
    case KEY_MAX_SEGMENT: options->offer.max_segment = (uint32_t)parse_size(name, value, smallest, largest); break;
    case KEY_MAX_R2T: options->offer.max_outstanding_r2t = (unsigned)parse_number(name, value, 1, 65535); break;
    case KEY_HELP: fputs(HELP, stdout); exit(0);
    default: wrong("wrong option"); /* getopt has named it already */
    }
}

struct options parse_options(int count, char **words)
{
    struct options options = {
        .mode = MODE_READ,
        .access = ACCESS_RANDOM,
        .read_percent = 70,
        .block_bytes = 4096,
        .queue_depth = 1,
        .connections = 1,
        .seconds = 3,
        .seed = 1,
        .timeout_seconds = 10,
        .offer = {
            .immediate_data = true,
            .max_burst = 256 << 10,
            .first_burst = 256 << 10,
            .max_segment = 256 << 10,
            .max_outstanding_r2t = 1,
        },
    };
    int key, index = 0;

    while ((key = getopt_long(count, words, "", LONG_OPTIONS, &index)) != -1) {
        take_option(&options, key, LONG_OPTIONS[index].name, optarg);
    }
    if (optind != count - 1) {
        wrong("want exactly one iscsi://HOST[:PORT]/TARGET/LUN or nbd://HOST:PORT[/EXPORT]");
    }
    parse_url(&options, words[optind]);
    if (options.block_bytes % 512 != 0) {
        wrong("--block-size %u: want a multiple of 512", options.block_bytes);
    }
    /* RFC 7143 §13.14: the first burst may not be longer than any burst. */
    if (options.offer.first_burst > options.offer.max_burst) {
        wrong("--first-burst %u is above --max-burst %u", options.offer.first_burst, options.offer.max_burst);
    }
    return options;
}
