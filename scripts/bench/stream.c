#include "stream.h"

#include "options.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

void send_all(int fd, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    while (length > 0) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent < 0) {
            fail("cannot send: %s", strerror(errno));
        }
        at += sent;
        length -= (size_t)sent;
    }
}

void receive_all(int fd, void *bytes, size_t length)
{
    uint8_t *at = bytes;

    while (length > 0) {
        ssize_t received = recv(fd, at, length, 0);
        if (received == 0) {
            fail("the target closed the connection");
        }
        if (received < 0) {
            fail("cannot receive: %s", errno == EAGAIN ? "no answer within --timeout" : strerror(errno));
        }
        at += received;
        length -= (size_t)received;
    }
}
