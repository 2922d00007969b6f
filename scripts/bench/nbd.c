#include "nbd.h"

#include "options.h"
#include "stream.h"
#include "wire.h"

#include <string.h>

/* https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md */
#define NBD_MAGIC 0x4e42444d41474943u
#define NBD_OPTION_MAGIC 0x49484156454f5054u
#define NBD_REQUEST_MAGIC 0x25609513u
#define NBD_REPLY_MAGIC 0x67446698u

enum {
    FLAG_FIXED_NEWSTYLE = 1,
    FLAG_NO_ZEROES = 2,
    OPTION_EXPORT_NAME = 1,
    COMMAND_READ = 0,
    COMMAND_WRITE = 1,
    COMMAND_DISCONNECT = 2,
    ZEROES = 124,
};

uint64_t nbd_open(int fd, const char *export_name)
{
    uint8_t greeting[18], answer[20], export[10], zeroes[ZEROES];
    uint32_t length = (uint32_t)strlen(export_name);

    receive_all(fd, greeting, sizeof(greeting));
    if (get64(greeting) != NBD_MAGIC || get64(greeting + 8) != NBD_OPTION_MAGIC) {
        fail("the server does not greet as NBD servers do");
    }
    bool no_zeroes = (greeting[17] & FLAG_NO_ZEROES) != 0;
    put32(answer, greeting[17] & (FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES));
    put64(answer + 4, NBD_OPTION_MAGIC);
    put32(answer + 12, OPTION_EXPORT_NAME);
    put32(answer + 16, length);
    send_all(fd, answer, sizeof(answer));
    send_all(fd, export_name, length);
    receive_all(fd, export, sizeof(export));
    if (!no_zeroes) {
        receive_all(fd, zeroes, sizeof(zeroes));
    }
    return get64(export);
}

void nbd_request(uint8_t *request, bool writes, uint32_t tag, uint64_t offset, uint32_t length)
{
    put32(request, NBD_REQUEST_MAGIC);
    put32(request + 4, writes ? COMMAND_WRITE : COMMAND_READ);
    put64(request + 8, tag);
    put64(request + 16, offset);
    put32(request + 24, length);
}

uint32_t nbd_reply_tag(const uint8_t *reply)
{
    if (get32(reply) != NBD_REPLY_MAGIC) {
        fail("the server sent what is no reply (0x%08x)", get32(reply));
    }
    if (get32(reply + 4) != 0) {
        fail("a request failed: errno %u", get32(reply + 4));
    }
    return (uint32_t)get64(reply + 8);
}

void nbd_close(int fd)
{
    uint8_t request[NBD_REQUEST_BYTES] = {0};

    put32(request, NBD_REQUEST_MAGIC);
    put32(request + 4, COMMAND_DISCONNECT);
    send_all(fd, request, sizeof(request));
}
