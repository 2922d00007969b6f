/*
 * The test guest's only program, process 1: starts the writers and reports to the host.
 *
 * Nothing here touches the disk after start: the ticks must go on while the disk does not answer.
 * Protocol: test-images/README.md.
 */
#define _GNU_SOURCE
#include "clock.h"
#include "kernel_log.h"
#include "port.h"
#include "writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DEFAULT_WRITERS = 4,
    MAX_WRITERS = 64,
    DEFAULT_PAUSE_MS = 5,
    TICK_MS = 20,
    /* How long `poweroff` waits for writers that a dead disk holds. */
    POWER_OFF_WAIT_MS = 5000,
};

static struct port port;
static struct kernel_log kernel_log;
static volatile int *stop;
static pid_t writers[MAX_WRITERS];
static unsigned writer_count;
static unsigned running;
static unsigned long errors;
static uint64_t power_off_us; /* when to power off at the latest; 0: not asked */

static unsigned long setting(const char *name, unsigned long otherwise)
{
    char line[4096] = "";
    FILE *file = fopen("/proc/cmdline", "re");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL) {
        line[0] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    size_t length = strlen(name);
    for (char *rest = line, *word; (word = strsep(&rest, " \n")) != NULL;) {
        if (strncmp(word, name, length) == 0 && word[length] == '=') {
            return strtoul(word + length + 1, NULL, 10);
        }
    }
    return otherwise;
}

/* The block device that holds /, for example /dev/vda. */
static void root_device(char *name, size_t size)
{
    struct stat root;
    char path[64];
    char line[128];
    snprintf(name, size, "unknown");
    if (stat("/", &root) != 0) {
        return;
    }
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(root.st_dev), minor(root.st_dev));
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "DEVNAME=", 8) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(name, size, "/dev/%.40s", line + 8);
        }
    }
    fclose(file);
}

/* Another one after every boot. */
static void boot_id(char *id, size_t size)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL || fgets(id, (int) size, file) == NULL) {
        snprintf(id, size, "unknown");
    }
    if (file != NULL) {
        fclose(file);
    }
    id[strcspn(id, "\n")] = '\0';
}

static int start_writers(unsigned pause)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        perror("holdfast: pipe");
        exit(1);
    }
    stop = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stop == MAP_FAILED) {
        perror("holdfast: mmap");
        exit(1);
    }
    for (unsigned i = 0; i < writer_count; i++) {
        writers[i] = fork();
        if (writers[i] == 0) {
            close(ends[0]);
            close(port.fd);
            writer_run(&(struct writer){.number = i, .pause_ms = pause, .pipe = ends[1], .stop = stop});
        }
        if (writers[i] < 0) {
            perror("holdfast: fork");
            exit(1);
        }
        running++;
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return ends[0];
}

static void forward(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_ACK:
        port_line(&port, "ack %u %llu %llu %llu", message->writer, (unsigned long long) message->sequence,
                  (unsigned long long) message->uptime_us, (unsigned long long) message->latency_us);
        break;
    case MESSAGE_ERROR:
        errors++;
        port_line(&port, "error %u %llu %d %s: %s", message->writer, (unsigned long long) message->sequence,
                  message->error, message->call, strerror(message->error));
        break;
    default:
        port_line(&port, "stopped %u %llu", message->writer, (unsigned long long) message->sequence);
        break;
    }
}

/* Takes from the writers only what the port has room for: a slow host slows the writers, and no ack is lost. */
static void forward_messages(int pipe)
{
    struct message message;
    while (port_has_room(&port) && read(pipe, &message, sizeof(message)) == (ssize_t) sizeof(message)) {
        forward(&message);
    }
}

static void forward_kernel_log(void)
{
    int level;
    char text[LINE_BYTES - 32];
    while (port_has_room(&port) && kernel_log_next(&kernel_log, &level, text, sizeof(text))) {
        port_line(&port, "kmsg %d %s", level, text);
    }
}

static void report(void)
{
    struct statvfs root;
    bool read_only = statvfs("/", &root) != 0 || (root.f_flag & ST_RDONLY) != 0;
    char boot[64];
    boot_id(boot, sizeof(boot));
    port_line(&port, "report errors=%lu kmsg=%lu remounted_ro=%s boot=%s", errors, kernel_log.reported,
              read_only ? "yes" : "no", boot);
}

static void obey(const char *command)
{
    if (strcmp(command, "stop") == 0) {
        *stop = 1;
    } else if (strcmp(command, "report") == 0) {
        report();
    } else if (strcmp(command, "poweroff") == 0) {
        *stop = 1;
        if (power_off_us == 0) {
            power_off_us = uptime_us() + POWER_OFF_WAIT_MS * 1000;
        }
    } else {
        port_line(&port, "error 0 0 22 unknown command: %.40s", command);
    }
}

static void reap(void)
{
    int status;
    for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (unsigned i = 0; i < writer_count; i++) {
            if (writers[i] != child) {
                continue;
            }
            running--;
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                errors++;
                port_line(&port, "error %u 0 0 writer ended with status 0x%x", i, (unsigned) status);
            }
        }
    }
}

/* In a process of its own: sync does not return while the disk is away, and the ticks must go on. */
static void power_off(void)
{
    power_off_us = UINT64_MAX;
    if (fork() == 0) {
        sync();
        mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
        sync();
        reboot(RB_POWER_OFF);
        _exit(1);
    }
}

static void tick(int timer)
{
    uint64_t missed;
    if (read(timer, &missed, sizeof(missed)) != (ssize_t) sizeof(missed)) {
        return;
    }
    reap();
    if (power_off_us != 0 && power_off_us != UINT64_MAX && (running == 0 || uptime_us() > power_off_us)) {
        power_off();
    }
    /* A tick that cannot go out now is worth nothing later. */
    if (port.pending == 0) {
        port_line(&port, "tick %llu %llu", (unsigned long long) uptime_us(),
                  (unsigned long long) clock_us(CLOCK_REALTIME));
    }
}

static int start_ticks(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec every = {
        .it_interval = {.tv_nsec = TICK_MS * 1000000},
        .it_value = {.tv_nsec = TICK_MS * 1000000},
    };
    if (timer < 0 || timerfd_settime(timer, 0, &every, NULL) != 0) {
        perror("holdfast: timerfd");
        exit(1);
    }
    return timer;
}

_Noreturn static void serve(int pipe, int timer)
{
    bool host_away = false;
    for (;;) {
        bool room = port_has_room(&port);
        struct pollfd polled[] = {
            /* Without a host the port is always "hung up": asked again at the next tick, or this would spin. */
            {.fd = host_away ? -1 : port.fd, .events = (short) (POLLIN | (port.pending > 0 ? POLLOUT : 0))},
            {.fd = timer, .events = POLLIN},
            {.fd = room ? pipe : -1, .events = POLLIN},
            {.fd = room ? kernel_log.fd : -1, .events = POLLIN},
        };
        poll(polled, sizeof(polled) / sizeof(polled[0]), -1);
        host_away = (polled[0].revents & POLLHUP) != 0;
        if (polled[0].revents & POLLIN) {
            port_read(&port, obey);
        }
        if (polled[1].revents & POLLIN) {
            tick(timer);
            host_away = false;
        }
        if (polled[2].revents & POLLIN) {
            forward_messages(pipe);
        }
        if (polled[3].revents & (POLLIN | POLLERR)) {
            forward_kernel_log();
        }
        if (polled[2].revents == POLLHUP) {
            close(pipe);
            pipe = -1; /* The last writer has ended and all is read; poll ignores a descriptor below zero. */
        }
        if (!host_away) {
            port_flush(&port);
        }
    }
}

int main(void)
{
    char device[64];
    char boot[64];
    writer_count = (unsigned) setting("holdfast.writers", DEFAULT_WRITERS);
    if (writer_count > MAX_WRITERS) {
        writer_count = MAX_WRITERS;
    }
    unsigned pause = (unsigned) setting("holdfast.pause_ms", DEFAULT_PAUSE_MS);
    root_device(device, sizeof(device));
    port_open(&port, "io.holdfast.guest");
    kernel_log_open(&kernel_log);
    int pipe = start_writers(pause);

    /* The reporter's own code must not have to come from the disk, nor wait behind the writers for the CPU. */
    mlockall(MCL_CURRENT | MCL_FUTURE);
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});

    boot_id(boot, sizeof(boot));
    port_line(&port, "ready %llu writers=%u device=%s boot=%s", (unsigned long long) uptime_us(), writer_count, device,
              boot);
    serve(pipe, start_ticks());
}
