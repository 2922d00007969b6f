/*
 * The proof: initiators write, a server is killed in the middle of it, and what every initiator was told is looked up in the
 * image from outside. Again and again.
 *
 *   start the server ──► initiators log in and load it ──► SIGKILL at random ──► they end ──► check the image ─┐
 *          ▲                                                                                                 │
 *          └─────────────────────────────────────────────────────────────────────────────────────────────────┘
 */
#define _GNU_SOURCE
#include "ledger.h"

#include "../bench/blocks.h"
#include "../bench/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char HELP[] =
    "Usage: durability --image FILE [options] -- SERVER…\n"
    "Starts SERVER, which serves FILE, loads it, kills it, checks FILE. The last line of the output is the verdict.\n"
    "\n"
    "  --kills N        how often to kill it (10)\n"
    "  --initiators N   1 to 16 (4)          --queue-depth N   each, 1 to 64 (8)\n"
    "  --longest MS     the kill comes at most so long after the logins (400)\n"
    "  --seed N         another load, and kills at other moments (the time)\n"
    "  --records FILE   kill nothing: load for --longest, let the server end by itself (SIGTERM), and write down what\n"
    "                   was acknowledged and when\n"
    "  --damage         the control run: destroy one acknowledged sector before the first check\n"
    "Exit code: 0 nothing lost or torn, 1 something was, or the proof could not be made, 2 wrong usage.\n";

enum { START_LIMIT_MS = 30000, END_LIMIT_MS = 30000, TURN_MS = 2 };

struct plan {
    const char *image, *records;
    char **server;
    unsigned kills, initiators, queue_depth, longest_ms;
    uint64_t seed;
    bool damage;
};

struct verdict {
    unsigned kills;
    uint64_t lost, torn;
};

static pid_t server_pid;
static pid_t initiator_pids[MAX_INITIATORS];

void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (server_pid != 0 || getenv("DURABILITY_VERBOSE") != NULL) {
        fputs("durability: ", stderr);
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
    }
    va_end(arguments);
    if (server_pid > 0) {
        kill(-server_pid, SIGKILL);
    }
    exit(1);
}

static uint64_t now_ms(void)
{
    return realtime_ns() / 1000000;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = TURN_MS * 1000000}, NULL);
}

static void *shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        fail("no memory for the ledger");
    }
    return memory;
}

static struct ledger *make_ledger(const struct plan *plan, uint64_t size_bytes)
{
    struct ledger *ledger = shared(sizeof(*ledger));
    size_t bytes = size_bytes / SECTOR_BYTES * sizeof(uint32_t);

    ledger->sectors = (uint32_t)(size_bytes / SECTOR_BYTES);
    ledger->initiators = plan->initiators;
    ledger->keeps_records = plan->records != NULL;
    ledger->records = ledger->keeps_records ? shared(MAX_RECORDS * sizeof(struct record)) : NULL;
    ledger->issued = shared(bytes);
    ledger->acknowledged_generation = shared(bytes);
    ledger->found = shared(bytes);
    ledger->issued_then = shared(bytes);
    return ledger;
}

/* Starts the server and reads from its output where it serves. */
static void start_server(const struct plan *plan, char *url, size_t room)
{
    int out[2];

    if (pipe2(out, O_CLOEXEC) != 0) {
        fail("no pipe: %s", strerror(errno));
    }
    server_pid = fork();
    if (server_pid == 0) {
        /* A group of its own, for a server that runs under a tracer; and it does not outlive the proof. */
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], STDOUT_FILENO);
        execvp(plan->server[0], plan->server);
        _exit(127);
    }
    close(out[1]);
    /* The other end stays open for as long as the server lives: it may print more. */
    static FILE *lines;
    if (lines != NULL) {
        fclose(lines);
    }
    lines = fdopen(out[0], "r");
    do {
        if (fgets(url, (int)room, lines) == NULL) {
            fail("the server has ended before it served");
        }
    } while (strncmp(url, "iscsi://", 8) != 0);
    url[strcspn(url, "\n")] = 0;
}

static void start_initiators(const struct plan *plan, struct ledger *ledger, const char *url, unsigned round)
{
    atomic_store(&ledger->ready, 0);
    atomic_store(&ledger->stop, false);
    for (unsigned i = 0; i < plan->initiators; i++) {
        initiator_pids[i] = fork();
        if (initiator_pids[i] == 0) {
            /* It ends when the target is gone, which is no news. */
            server_pid = 0;
            exit(run_initiator(ledger, url, i, plan->queue_depth, plan->seed + round));
        }
    }
}

/* Returns the status of the last of them that did not end well, or 0. */
static int await_initiators(unsigned count)
{
    uint64_t limit = now_ms() + END_LIMIT_MS;
    int worst = 0;

    for (unsigned i = 0; i < count; i++) {
        int status;
        while (waitpid(initiator_pids[i], &status, WNOHANG) == 0) {
            if (now_ms() > limit) {
                fail("an initiator does not end");
            }
            nap();
        }
        worst = status != 0 ? status : worst;
    }
    return worst;
}

static void damage(const struct ledger *ledger, int image)
{
    static const uint8_t ZEROES[SECTOR_BYTES];

    for (uint32_t sector = 0; sector < ledger->sectors; sector++) {
        if (ledger->acknowledged_generation[sector] > ledger->issued_then[sector]) {
            if (pwrite(image, ZEROES, SECTOR_BYTES, (off_t)sector * SECTOR_BYTES) != SECTOR_BYTES) {
                fail("cannot damage the image: %s", strerror(errno));
            }
            return;
        }
    }
}

/*
 * Every sector is whole. It is of the newest generation that was acknowledged, or of a newer one that was sent and never
 * answered; and never of one that had been given up with an earlier server.
 */
static void check(struct ledger *ledger, int image, struct verdict *verdict)
{
    static uint8_t piece[1 << 20];

    for (uint32_t sector = 0; sector < ledger->sectors; sector++) {
        size_t within = (size_t)sector * SECTOR_BYTES % sizeof(piece);
        if (within == 0 && pread(image, piece, sizeof(piece), (off_t)sector * SECTOR_BYTES) <= 0) {
            fail("cannot read the image: %s", strerror(errno));
        }
        uint64_t generation;
        uint32_t acknowledged = ledger->acknowledged_generation[sector], issued = ledger->issued[sector];
        if (!sector_generation(sector, piece + within, &generation)) {
            verdict->torn++;
            fprintf(stderr, "durability: sector %u is torn or foreign\n", sector);
        } else if (generation != acknowledged && (generation <= ledger->issued_then[sector] || generation < acknowledged
                                                  || generation > issued)) {
            verdict->lost++;
            fprintf(stderr, "durability: sector %u is of generation %llu; %u was acknowledged, %u sent\n", sector,
                    (unsigned long long)generation, acknowledged, issued);
        } else {
            acknowledged = (uint32_t)generation;
        }
        ledger->found[sector] = acknowledged;
        ledger->acknowledged_generation[sector] = acknowledged;
        ledger->issued_then[sector] = issued;
    }
}

static void end_server(int signal_number)
{
    int status;
    uint64_t limit = now_ms() + END_LIMIT_MS;

    kill(-server_pid, signal_number);
    while (waitpid(server_pid, &status, WNOHANG) == 0) {
        if (now_ms() > limit) {
            fail("the server does not end");
        }
        nap();
    }
    if (signal_number == SIGKILL && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
        server_pid = -1;
        fail("the server had ended by itself, status 0x%x", (unsigned)status);
    }
    server_pid = -1;
}

static void await_logins(const struct ledger *ledger)
{
    uint64_t limit = now_ms() + START_LIMIT_MS;

    while (atomic_load(&ledger->ready) < ledger->initiators) {
        if (now_ms() > limit) {
            fail("not every initiator could log in");
        }
        nap();
    }
}

static void load_for(uint64_t ms)
{
    uint64_t until = now_ms() + ms;

    while (now_ms() < until) {
        nap();
    }
}

static void write_records(const struct ledger *ledger, const char *path)
{
    static const char *const NAMES[] = {"write", "fua", "sync"};
    FILE *file = fopen(path, "w");

    if (file == NULL) {
        fail("cannot write %s: %s", path, strerror(errno));
    }
    for (uint32_t i = 0; i < atomic_load(&ledger->record_count); i++) {
        const struct record *record = &ledger->records[i];
        fprintf(file, "%s %llu %llu %llu %llu\n", NAMES[record->kind], (unsigned long long)record->sector * SECTOR_BYTES,
                (unsigned long long)record->sectors * SECTOR_BYTES, (unsigned long long)record->sent_ns,
                (unsigned long long)record->acknowledged_ns);
    }
    if (fclose(file) != 0) {
        fail("cannot write %s: %s", path, strerror(errno));
    }
}

static void one_round(const struct plan *plan, struct ledger *ledger, int image, struct verdict *verdict)
{
    char url[512];

    start_server(plan, url, sizeof(url));
    start_initiators(plan, ledger, url, verdict->kills);
    if (plan->records != NULL) {
        await_logins(ledger);
        load_for(plan->longest_ms);
        atomic_store(&ledger->stop, true);
        if (await_initiators(plan->initiators) != 0) {
            fail("an initiator failed");
        }
        end_server(SIGTERM);
        write_records(ledger, plan->records);
    } else {
        /* One kill in eight comes while the initiators log in. */
        if (rand() % 8 != 0) {
            await_logins(ledger);
        }
        load_for((unsigned)rand() % plan->longest_ms);
        end_server(SIGKILL);
        await_initiators(plan->initiators);
        verdict->kills++;
    }
    if (plan->damage && verdict->kills == 1) {
        damage(ledger, image);
    }
    check(ledger, image, verdict);
}

static unsigned number(const char *option, const char *text, unsigned least, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == 0 || *end != 0 || value < least || value > most) {
        fprintf(stderr, "durability: %s '%s': want a number from %u to %u\n", option, text, least, most);
        exit(2);
    }
    return (unsigned)value;
}

static struct plan parse(int count, char **words)
{
    static const struct option OPTIONS[] = {
        {"image", 1, NULL, 'i'}, {"kills", 1, NULL, 'k'}, {"initiators", 1, NULL, 'n'}, {"queue-depth", 1, NULL, 'q'},
        {"longest", 1, NULL, 'l'}, {"seed", 1, NULL, 's'}, {"records", 1, NULL, 'r'}, {"damage", 0, NULL, 'd'},
        {"help", 0, NULL, 'h'}, {0},
    };
    struct plan plan = {.kills = 10, .initiators = 4, .queue_depth = 8, .longest_ms = 400, .seed = (uint64_t)time(NULL)};
    int option;

    while ((option = getopt_long(count, words, "", OPTIONS, NULL)) != -1) {
        switch (option) {
        case 'i': plan.image = optarg; break;
        case 'k': plan.kills = number("--kills", optarg, 1, 100000); break;
        case 'n': plan.initiators = number("--initiators", optarg, 1, MAX_INITIATORS); break;
        case 'q': plan.queue_depth = number("--queue-depth", optarg, 1, 64); break;
        case 'l': plan.longest_ms = number("--longest", optarg, 1, 600000); break;
        case 's': plan.seed = number("--seed", optarg, 0, 4000000000u); break;
        case 'r': plan.records = optarg; break;
        case 'd': plan.damage = true; break;
        case 'h': fputs(HELP, stdout); exit(0);
        default: exit(2);
        }
    }
    plan.server = words + optind;
    if (plan.image == NULL || *plan.server == NULL) {
        fputs("durability: --image and the server's command are missing (see --help)\n", stderr);
        exit(2);
    }
    return plan;
}

int main(int count, char **words)
{
    struct plan plan = parse(count, words);
    struct verdict verdict = {.kills = 0};
    int image = open(plan.image, O_RDWR | O_CLOEXEC);

    signal(SIGPIPE, SIG_IGN);
    srand((unsigned)plan.seed);
    if (image < 0) {
        fail("cannot open %s: %s", plan.image, strerror(errno));
    }
    struct ledger *ledger = make_ledger(&plan, (uint64_t)lseek(image, 0, SEEK_END));
    do {
        one_round(&plan, ledger, image, &verdict);
    } while (plan.records == NULL && verdict.kills < plan.kills);
    printf("kills=%u acked=%llu fua=%llu syncs=%llu reads=%llu lost=%llu torn=%llu seed=%llu\n", verdict.kills,
           atomic_load(&ledger->acknowledged[WRITE_CACHED]) + atomic_load(&ledger->acknowledged[WRITE_FUA]),
           atomic_load(&ledger->acknowledged[WRITE_FUA]), atomic_load(&ledger->acknowledged[SYNCHRONIZE]),
           atomic_load(&ledger->acknowledged[READ]), (unsigned long long)verdict.lost, (unsigned long long)verdict.torn,
           (unsigned long long)plan.seed);
    return verdict.lost == 0 && verdict.torn == 0 && !atomic_load(&ledger->wrong_read) ? 0 : 1;
}
