/*
 * Reader: from the bytes of a socket to the messages of SP
 *
 *      greeting, then (head, id, frame) for ever
 *
 * As many messages as one read brings; of one that is larger than the buffer the
 * rest goes straight to its place. A length is checked before memory is taken for
 * it. Never blocks; one thread at a time.
 */

#ifndef CLIENT_SP_READER_H
#define CLIENT_SP_READER_H

#include "client/sp_message.h"

#define SP_READER_BUFFER_BYTES 65536

struct sp_reader {
        /* private */
        enum sp_framing framing;
        size_t message_bytes_max; /* of id and frame */
        bool is_greeted;
        struct sp_message *partial; /* its head is read, and some of the rest */
        size_t begin;
        size_t end;
        uint8_t *buffer; /* not cleared: memory that is not used is none */
};

enum sp_fill {
        SP_FILL_SOME, /* and there was no more */
        SP_FILL_MORE, /* and perhaps there is more */
        SP_FILL_NOTHING,
        SP_FILL_END,   /* the peer says no more */
        SP_FILL_ERROR, /* of errno */
};

enum sp_next {
        SP_NEXT_NONE, /* of what was read all is taken */
        SP_NEXT_GREETING,
        SP_NEXT_MESSAGE,
        SP_NEXT_PROBLEM,
};

/* False: out of memory. */
bool sp_reader_init(struct sp_reader *reader);

/* A zeroed one is fine. */
void sp_reader_deinit(struct sp_reader *reader);

/* For a new connection; what the last one left is freed. */
void sp_reader_reset(struct sp_reader *reader, enum sp_framing framing, size_t message_bytes_max);

/* One read from @fd. All that came before has been taken. */
enum sp_fill sp_reader_fill(struct sp_reader *reader, int fd);

/*
 * Takes the next from what was read. MESSAGE: the caller's, to be freed; PROBLEM:
 * a static string, and there is no going on.
 */
enum sp_next sp_reader_next(struct sp_reader *reader,
                            struct sp_message **ret_message,
                            const char **ret_problem);

#endif
