#define _GNU_SOURCE
#include "port.h"

#include "clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_FOR_DRIVER_MS = 3000, LOOK_EVERY_MS = 10 };

/* Without udev there is no /dev/virtio-ports: sysfs tells which device has the name. */
static int open_named(const char *wanted)
{
    DIR *ports = opendir("/sys/class/virtio-ports");
    if (ports == NULL) {
        return -1;
    }
    int fd = -1;
    for (struct dirent *entry; fd < 0 && (entry = readdir(ports)) != NULL;) {
        char path[300];
        char name[64] = "";
        snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL) {
            continue;
        }
        if (fgets(name, sizeof(name), file) != NULL) {
            name[strcspn(name, "\n")] = '\0';
        }
        fclose(file);
        if (strcmp(name, wanted) == 0) {
            snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
            fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        }
    }
    closedir(ports);
    return fd;
}

void port_open(struct port *port, const char *name)
{
    port->pending = 0;
    port->got = 0;
    for (int waited_ms = 0; waited_ms < WAIT_FOR_DRIVER_MS; waited_ms += LOOK_EVERY_MS) {
        port->fd = open_named(name);
        if (port->fd >= 0) {
            return;
        }
        pause_ms(LOOK_EVERY_MS);
    }
    fprintf(stderr, "holdfast: no virtio-serial port named %s, reporting on the console\n", name);
    port->fd = open("/dev/console", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

bool port_has_room(const struct port *port)
{
    return sizeof(port->out) - port->pending >= LINE_BYTES;
}

void port_line(struct port *port, const char *format, ...)
{
    if (!port_has_room(port)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(port->out + port->pending, LINE_BYTES, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    if (length > LINE_BYTES - 1) {
        length = LINE_BYTES - 1;
    }
    port->out[port->pending + (size_t) length] = '\n';
    port->pending += (size_t) length + 1;
}

void port_flush(struct port *port)
{
    while (port->pending > 0) {
        ssize_t written = write(port->fd, port->out, port->pending);
        if (written <= 0) {
            return;
        }
        port->pending -= (size_t) written;
        memmove(port->out, port->out + written, port->pending);
    }
}

void port_read(struct port *port, void (*command)(const char *line))
{
    ssize_t length;
    while ((length = read(port->fd, port->in + port->got, sizeof(port->in) - port->got)) > 0) {
        port->got += (size_t) length;
        char *start = port->in;
        char *end;
        while ((end = memchr(start, '\n', port->got - (size_t) (start - port->in))) != NULL) {
            *end = '\0';
            command(start);
            start = end + 1;
        }
        port->got -= (size_t) (start - port->in);
        memmove(port->in, start, port->got);
        if (port->got == sizeof(port->in)) {
            port->got = 0; /* No command is that long: not ours. */
        }
    }
}
