/* The iSCSI PDU header (RFC 7143 §11) as bytes: offsets, opcodes and numbers in network order. */
#ifndef HOLDFAST_BENCH_WIRE_H
#define HOLDFAST_BENCH_WIRE_H

#include <stdbool.h>
#include <stdint.h>

enum { HEADER_BYTES = 48 };

enum opcode {
    NOP_OUT = 0x00,
    SCSI_COMMAND = 0x01,
    LOGIN_REQUEST = 0x03,
    DATA_OUT = 0x05,
    LOGOUT_REQUEST = 0x06,
    NOP_IN = 0x20,
    SCSI_RESPONSE = 0x21,
    LOGIN_RESPONSE = 0x23,
    DATA_IN = 0x25,
    LOGOUT_RESPONSE = 0x26,
    READY_TO_TRANSFER = 0x31,
    ASYNC_MESSAGE = 0x32,
    REJECT = 0x3f,
};

enum {
    OPCODE_MASK = 0x3f,
    IMMEDIATE = 0x40,           /* byte 0: deliver out of order, takes no CmdSN */
    FINAL = 0x80,               /* byte 1 */
    COMMAND_READS = 0x40,       /* byte 1 of a SCSI command */
    COMMAND_WRITES = 0x20,
    ATTRIBUTE_SIMPLE = 0x01,
    DATA_IN_HAS_STATUS = 0x01,  /* byte 1 of a Data-In */
    RESIDUAL_FLAGS = 0x06,      /* byte 1 of a SCSI Response or Data-In: overflow, underflow */
};

/* Byte offsets; those of one kind of PDU carry its name. */
enum {
    AT_FLAGS = 1,
    AT_RESPONSE = 2,
    AT_STATUS = 3,
    AT_AHS_WORDS = 4,
    AT_DATA_LENGTH = 5,
    AT_LUN = 8,
    AT_TASK_TAG = 16,
    AT_TRANSFER_TAG = 20,
    AT_COMMAND_EXPECTED_LENGTH = 20,
    AT_CMD_SN = 24,             /* to the target */
    AT_EXP_STAT_SN = 28,        /* to the target */
    AT_STAT_SN = 24,            /* from the target */
    AT_EXP_CMD_SN = 28,         /* from the target */
    AT_MAX_CMD_SN = 32,         /* from the target */
    AT_COMMAND_CDB = 32,
    AT_DATA_OUT_SN = 36,
    AT_BUFFER_OFFSET = 40,      /* Data-In, Data-Out, R2T */
    AT_R2T_LENGTH = 44,
    AT_LOGIN_ISID = 8,
    AT_LOGIN_STATUS_CLASS = 36,
    AT_LOGIN_STATUS_DETAIL = 37,
};

#define NO_TAG 0xffffffffu

enum { STATUS_GOOD = 0x00, STATUS_CHECK_CONDITION = 0x02 };

static inline void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put24(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 16);
    put16(at + 1, value);
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static inline void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

static inline uint32_t get24(const uint8_t *at)
{
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | get24(at + 1);
}

static inline uint64_t get64(const uint8_t *at)
{
    return (uint64_t)get32(at) << 32 | get32(at + 4);
}

static inline uint32_t padded(uint32_t length)
{
    return (length + 3) & ~3u;
}

/* Serial numbers wrap; RFC 1982 says which of two is the later one. */
static inline bool is_after(uint32_t number, uint32_t other)
{
    return (int32_t)(number - other) > 0;
}

#endif
