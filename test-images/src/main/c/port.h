/* The virtio-serial port to the host: lines out through a bounded buffer, commands in. */
#ifndef HOLDFAST_PORT_H
#define HOLDFAST_PORT_H

#include <stdbool.h>
#include <stddef.h>

/* A line is at most this long, newline included. */
enum { LINE_BYTES = 512 };

struct port {
    int fd;
    size_t pending;         /* bytes of `out` not yet taken by the kernel */
    char out[16 * 1024];
    size_t got;             /* bytes of `in` that are not yet a whole line */
    char in[LINE_BYTES];
};

/* Opens the port of that name, waiting for its driver a little; the console if there is no such port. */
void port_open(struct port *port, const char *name);

/* Room for one more line? Ask before taking work whose line must not be lost. */
bool port_has_room(const struct port *port);

/* Queues a line (printf style, without newline). Dropped only if the caller did not ask for room. */
__attribute__((format(printf, 2, 3))) void port_line(struct port *port, const char *format, ...);

/* Gives the kernel what it takes without blocking. */
void port_flush(struct port *port);

/* Reads what is there and calls `command` for every whole line. */
void port_read(struct port *port, void (*command)(const char *line));

#endif
