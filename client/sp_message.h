/*
 * A message of SP's request/reply, with room for all that goes before it
 *
 * core/rpc/sp.h. Not thread-safe.
 */

#ifndef CLIENT_SP_MESSAGE_H
#define CLIENT_SP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/rpc/sp.h"

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

/* With room for a frame of @n_bytes. NULL: out of memory. */
struct sp_message *sp_message_new(size_t n_bytes);

/* Ready to be written, with id and head. */
void sp_message_address(struct sp_message *message, enum sp_framing framing, uint32_t id);

/* The greeting, ready to be written. NULL: out of memory. */
struct sp_message *sp_message_new_greeting(void);

#endif
