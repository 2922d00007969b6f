#define _GNU_SOURCE
#include "kernel_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WARNING = 4 };

/* Worth a line whatever level the kernel gives them. */
static const char *const SUSPECT[] = {
    "I/O error", "blocked for more than", "hung task", "EXT4-fs error", "remount",
    "clocksource", "soft lockup", "stall", "timed out", "reset",
};

void kernel_log_open(struct kernel_log *log)
{
    log->reported = 0;
    log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (log->fd >= 0) {
        lseek(log->fd, 0, SEEK_END);
    }
}

/*
 * Every boot says the first three, now before and now after the workload is ready: the last step of starting the clock. The
 * fourth says that a comparison of clocks was put off because the guest waited for its turn at the host's processors; where
 * the kernel draws a conclusion from it ("marking unstable"), it is a warning.
 */
static const char *const USUAL[] = {
    "Refined TSC clocksource calibration", "clocksource: tsc: mask", "Switched to clocksource tsc", "read-back delay of",
};

/*
 * Warnings, but of the host's processors: the guest waited for its turn. They say nothing of its storage. The second would also
 * come of a clock that runs on while the CPUs stand; the drills hold that clock against the host's.
 */
static const char *const SLOW_HOST[] = {"hrtimer: interrupt took", "clocksource: Long readout interval"};

static bool says_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(text, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool worth_reporting(int level, const char *text)
{
    if (says_one_of(text, SLOW_HOST, sizeof(SLOW_HOST) / sizeof(SLOW_HOST[0]))) {
        return false;
    }
    if (level <= WARNING) {
        return true;
    }
    if (says_one_of(text, USUAL, sizeof(USUAL) / sizeof(USUAL[0]))) {
        return false;
    }
    for (size_t i = 0; i < sizeof(SUSPECT) / sizeof(SUSPECT[0]); i++) {
        if (strcasestr(text, SUSPECT[i]) != NULL) {
            return true;
        }
    }
    return false;
}

bool kernel_log_next(struct kernel_log *log, int *level, char *text, size_t size)
{
    char raw[8192];
    for (;;) {
        ssize_t length = read(log->fd, raw, sizeof(raw) - 1);
        if (length < 0 && errno == EPIPE) {
            /* The kernel overwrote lines before they were read: that much noise is a complaint itself. */
            *level = WARNING;
            snprintf(text, size, "kernel log lines were lost");
            log->reported++;
            return true;
        }
        if (length <= 0) {
            return false;
        }
        raw[length] = '\0';
        /* "priority,number,time,flags;text\n KEY=value\n…", priority = facility * 8 + level. */
        char *start = strchr(raw, ';');
        unsigned long priority = strtoul(raw, NULL, 10);
        if (start == NULL || priority / 8 != 0) {
            continue; /* not the kernel's own */
        }
        start++;
        start[strcspn(start, "\n")] = '\0';
        *level = (int) (priority % 8);
        if (worth_reporting(*level, start)) {
            snprintf(text, size, "%s", start);
            log->reported++;
            return true;
        }
    }
}
