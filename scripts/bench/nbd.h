/*
 * The other protocol of the load client: NBD with simple replies, as nbdkit, qemu-nbd and the ceiling speak it. A session of
 * iSCSI with its numbers left unused: 28 bytes of request, 16 of reply, no window, no status but an errno.
 */
#ifndef HOLDFAST_BENCH_NBD_H
#define HOLDFAST_BENCH_NBD_H

#include <stdbool.h>
#include <stdint.h>

enum { NBD_REQUEST_BYTES = 28, NBD_REPLY_BYTES = 16, NBD_SECTOR_BYTES = 512 };

/* Negotiates on a new socket, and returns how many bytes the export has. */
uint64_t nbd_open(int fd, const char *export_name);

void nbd_request(uint8_t *request, bool writes, uint32_t tag, uint64_t offset, uint32_t length);

/* The tag of a reply; ends the program unless it is one without an error. */
uint32_t nbd_reply_tag(const uint8_t *reply);

/* Says goodbye; no answer is due. */
void nbd_close(int fd);

#endif
