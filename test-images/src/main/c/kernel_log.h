/* The kernel's complaints, read from /dev/kmsg. */
#ifndef HOLDFAST_KERNEL_LOG_H
#define HOLDFAST_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct kernel_log {
    int fd;
    unsigned long reported; /* lines handed out so far */
};

/* Starts behind what the kernel has said up to now. */
void kernel_log_open(struct kernel_log *log);

/* The next line worth reporting; false if there is none now. `level` is 0 (emergency) to 7 (debug). */
bool kernel_log_next(struct kernel_log *log, int *level, char *text, size_t size);

#endif
