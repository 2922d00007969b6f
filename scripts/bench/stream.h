/* Whole messages over a blocking socket, for what comes before and after the load. Both end the program when it fails. */
#ifndef HOLDFAST_BENCH_STREAM_H
#define HOLDFAST_BENCH_STREAM_H

#include <stddef.h>

void send_all(int fd, const void *bytes, size_t length);

void receive_all(int fd, void *bytes, size_t length);

#endif
