/*
 * A message of a stream: of one that came the frame, of one that goes all bytes
 *
 * Not thread-safe.
 */

#ifndef SERVER_RUNTIME_REP_MESSAGE_H
#define SERVER_RUNTIME_REP_MESSAGE_H

#include "core/rpc/sp.h"
#include "server/runtime/rep.h"

/* Before the frame of an answer. */
#define REP_MESSAGE_ROOM_BYTES (SP_HEAD_BYTES_MAX + SP_WORDS_MAX * SP_ID_BYTES)

struct rep_message {
        /* of the stream that sends it */
        struct rep_message *next;
        struct peer *peer; /* a reference, for sent() */

        size_t frame_at; /* in bytes */
        size_t n_frame;
        size_t at;  /* what is written or filled next */
        size_t end; /* up to here */
        uint8_t bytes[];
};

#endif
