/*
 * The ceiling: what a file server costs on this machine when it does nothing but read, write and answer. One thread, epoll,
 * pread and pwrite in place, one send for each batch of requests; the requests are NBD's, so that the load client can ask.
 * No limits, no locks, no checks beyond what keeps it in its buffers: not a server to use.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_PAYLOAD = 1 << 20,
    REQUEST_BYTES = 28,
    REPLY_BYTES = 16,
    IN_BYTES = MAX_PAYLOAD + (256 << 10),
    OUT_BYTES = MAX_PAYLOAD + (1 << 20),
    MAX_EVENTS = 64,
    READ_COMMAND = 0,
    WRITE_COMMAND = 1,
};

struct client {
    int fd;
    bool greeted;
    bool blocked;       /* the socket takes no more now: nothing is read until it does */
    uint32_t interest;  /* what epoll has been asked for */
    size_t in_length, out_length, out_sent;
    uint8_t in[IN_BYTES];
    uint8_t out[OUT_BYTES];
};

static int file, poller;
static uint64_t file_bytes;

static void die(const char *what)
{
    fprintf(stderr, "ceiling: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t get32(const uint8_t *at) { uint32_t v; memcpy(&v, at, 4); return be32toh(v); }
static uint64_t get64(const uint8_t *at) { uint64_t v; memcpy(&v, at, 8); return be64toh(v); }
static void put32(uint8_t *at, uint32_t v) { v = htobe32(v); memcpy(at, &v, 4); }
static void put64(uint8_t *at, uint64_t v) { v = htobe64(v); memcpy(at, &v, 8); }

static void drop(struct client *client)
{
    close(client->fd);
    free(client);
}

/* False when the socket is full. */
static bool flush(struct client *client)
{
    while (client->out_sent < client->out_length) {
        ssize_t sent = send(client->fd, client->out + client->out_sent, client->out_length - client->out_sent, MSG_NOSIGNAL);
        if (sent < 0) {
            return false;
        }
        client->out_sent += (size_t)sent;
    }
    client->out_sent = client->out_length = 0;
    return true;
}

/* The one option the load client sends: flags, option magic, NBD_OPT_EXPORT_NAME, length, name. Returns what it took, or 0. */
static size_t greet(struct client *client)
{
    if (client->in_length < 20) {
        return 0;
    }
    size_t name = get32(client->in + 16);
    if (name > 256 || client->in_length < 20 + name) {
        return 0;
    }
    put64(client->out, file_bytes);
    client->out[8] = 0;
    client->out[9] = 1; /* it has flags, and none of them */
    client->out_length = 10;
    client->greeted = true;
    return 20 + name;
}

/* Returns how much of the input it took, 0 if it is not whole, -1 to end. */
static ssize_t answer(struct client *client, const uint8_t *request, size_t length)
{
    if (length < REQUEST_BYTES) {
        return 0;
    }
    uint32_t command = get32(request + 4), bytes = get32(request + 24);
    uint64_t offset = get64(request + 16);
    if (command > WRITE_COMMAND || bytes > MAX_PAYLOAD) {
        return -1;
    }
    if (command == WRITE_COMMAND && length < REQUEST_BYTES + (size_t)bytes) {
        return 0;
    }
    if (client->out_length + REPLY_BYTES + (command == READ_COMMAND ? bytes : 0) > OUT_BYTES) {
        return 0; /* after what is in the way has been sent */
    }
    uint8_t *reply = client->out + client->out_length;
    ssize_t done = command == READ_COMMAND ? pread(file, reply + REPLY_BYTES, bytes, (off_t)offset)
                                           : pwrite(file, request + REQUEST_BYTES, bytes, (off_t)offset);
    if (done != (ssize_t)bytes) {
        return -1;
    }
    put32(reply, 0x67446698u);
    put32(reply + 4, 0);
    memcpy(reply + 8, request + 8, 8);
    client->out_length += REPLY_BYTES + (command == READ_COMMAND ? bytes : 0);
    return REQUEST_BYTES + (command == WRITE_COMMAND ? (ssize_t)bytes : 0);
}

/* Answers all that is there; false to end. */
static bool serve(struct client *client)
{
    size_t at = 0;
    bool more = true;

    while (more) {
        ssize_t took = client->greeted ? answer(client, client->in + at, client->in_length - at) : (ssize_t)greet(client);
        if (took < 0) {
            return false;
        }
        at += (size_t)took;
        if (took == 0) {
            /* Not whole, or no room for the answer: then it goes on when the answers are gone. */
            more = client->out_length > 0 && flush(client) && client->in_length > at;
            client->blocked = client->out_length > 0;
        }
    }
    memmove(client->in, client->in + at, client->in_length - at);
    client->in_length -= at;
    return true;
}

static bool ready(struct client *client, uint32_t events)
{
    if (client->blocked) {
        client->blocked = !flush(client);
        if (!client->blocked && !serve(client)) {
            return false;
        }
    } else if (events != 0) {
        ssize_t received = recv(client->fd, client->in + client->in_length, IN_BYTES - client->in_length, 0);
        if (received == 0 || (received < 0 && errno != EAGAIN)) {
            return false;
        }
        client->in_length += received > 0 ? (size_t)received : 0;
        if (!serve(client)) {
            return false;
        }
    }
    uint32_t wanted = client->blocked ? EPOLLOUT : EPOLLIN;
    if (wanted != client->interest) {
        struct epoll_event interest = {.events = wanted, .data.ptr = client};
        epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &interest);
        client->interest = wanted;
    }
    return true;
}

static void welcome(int listener)
{
    /* No zeroes, and not "fixed": so clients, QEMU's too, send just the one option that this server knows. */
    static const uint8_t GREETING[18] = "NBDMAGICIHAVEOPT\0\2";
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *client = fd < 0 ? NULL : malloc(sizeof(struct client));

    if (client == NULL) {
        die("cannot take a connection");
    }
    client->fd = fd;
    client->greeted = client->blocked = false;
    client->interest = EPOLLIN;
    client->in_length = client->out_length = client->out_sent = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    send(fd, GREETING, sizeof(GREETING), MSG_NOSIGNAL);
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &interest);
}

int main(int count, char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event events[MAX_EVENTS], interest = {.events = EPOLLIN, .data.ptr = NULL};
    struct stat status;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (count != 3) {
        fputs("Usage: ceiling PORT FILE\n", stderr);
        return 2;
    }
    address.sin_port = htons((uint16_t)atoi(words[1]));
    file = open(words[2], O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0) {
        die(words[2]);
    }
    file_bytes = (uint64_t)status.st_size;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, MAX_EVENTS) != 0) {
        die("cannot listen");
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int ready_count = epoll_wait(poller, events, MAX_EVENTS, -1);
        for (int i = 0; i < ready_count; i++) {
            if (events[i].data.ptr == NULL) {
                welcome(listener);
            } else if (!ready(events[i].data.ptr, events[i].events)) {
                drop(events[i].data.ptr);
            }
        }
    }
}
