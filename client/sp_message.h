/*
 * A message of SP's request/reply, with room for all that goes before it
 *
 *      ipc     01, length as u64 BE, request id as u32 BE, frame
 *      tcp         length as u64 BE, request id as u32 BE, frame
 *
 * docs/wire.md, section 1. Not thread-safe.
 */

#ifndef CLIENT_SP_MESSAGE_H
#define CLIENT_SP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_GREETING_BYTES 8
#define SP_ID_BYTES       4
#define SP_ID_TOP         UINT32_C(0x80000000)

enum sp_framing {
        SP_IPC,
        SP_TCP,
};

#define SP_HEAD_BYTES_IPC 9
#define SP_HEAD_BYTES_TCP 8
#define SP_HEAD_BYTES_MAX SP_HEAD_BYTES_IPC

/* Where the frame lies in bytes. */
#define SP_FRAME_AT (SP_HEAD_BYTES_MAX + SP_ID_BYTES)

struct sp_lane;

struct sp_message {
        struct sp_message *next; /* of whoever holds it */
        struct sp_lane *lane;    /* the same */
        uint32_t id;
        size_t n_bytes; /* of the frame */
        size_t at;      /* in bytes: what is written or filled next, */
        size_t end;     /* up to here */
        bool is_begun;  /* some of it has left */
        uint8_t bytes[];
};

extern const uint8_t sp_greeting_of_client[SP_GREETING_BYTES];
extern const uint8_t sp_greeting_of_server[SP_GREETING_BYTES];

/* With room for a frame of @n_bytes. NULL: out of memory. */
struct sp_message *sp_message_new(size_t n_bytes);

/* Ready to be written, with id and head. */
void sp_message_address(struct sp_message *message, enum sp_framing framing, uint32_t id);

/* The greeting, ready to be written. NULL: out of memory. */
struct sp_message *sp_message_new_greeting(void);

/*
 * The length of id and frame, from a head of @framing. False: no head of SP.
 */
bool sp_head_read(const uint8_t *bytes, enum sp_framing framing, uint64_t *ret_n_bytes);

static inline size_t sp_head_bytes(enum sp_framing framing)
{
        return framing == SP_IPC ? SP_HEAD_BYTES_IPC : SP_HEAD_BYTES_TCP;
}

#endif
