#include "client/sp_reader.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

bool sp_reader_init(struct sp_reader *reader)
{
        *reader = (struct sp_reader){.buffer = malloc(SP_READER_BUFFER_BYTES)};

        return reader->buffer != NULL;
}

void sp_reader_deinit(struct sp_reader *reader)
{
        free(reader->partial);
        free(reader->buffer);
}

void sp_reader_reset(struct sp_reader *reader, enum sp_framing framing, size_t message_bytes_max)
{
        free(reader->partial);
        reader->partial = NULL;
        reader->framing = framing;
        reader->message_bytes_max = message_bytes_max;
        reader->is_greeted = false;
        reader->begin = 0;
        reader->end = 0;
}

static size_t n_buffered(const struct sp_reader *reader)
{
        return reader->end - reader->begin;
}

/* What is left is less than a head. */
static void make_room(struct sp_reader *reader)
{
        memmove(reader->buffer, reader->buffer + reader->begin, n_buffered(reader));
        reader->end = n_buffered(reader);
        reader->begin = 0;
}

/* For one part recv() asks the kernel for less work. */
static ssize_t read_parts(int fd, struct iovec *parts, size_t n_parts)
{
        struct msghdr header = {.msg_iov = parts, .msg_iovlen = n_parts};

        return n_parts == 1 ? recv(fd, parts->iov_base, parts->iov_len, MSG_DONTWAIT)
                            : recvmsg(fd, &header, MSG_DONTWAIT);
}

enum sp_fill sp_reader_fill(struct sp_reader *reader, int fd)
{
        struct sp_message *partial = reader->partial;
        size_t n_partial = partial ? partial->end - partial->at : 0;
        struct iovec parts[2];
        size_t n_parts = 0;
        ssize_t n_read;
        size_t n_asked;

        make_room(reader);
        if (n_partial > 0)
                parts[n_parts++] = (struct iovec){partial->bytes + partial->at, n_partial};
        parts[n_parts++] = (struct iovec){
                reader->buffer + reader->end,
                SP_READER_BUFFER_BYTES - reader->end,
        };
        n_asked = n_partial + SP_READER_BUFFER_BYTES - reader->end;

        do
                n_read = read_parts(fd, parts, n_parts);
        while (n_read < 0 && errno == EINTR);
        if (n_read < 0)
                return errno == EAGAIN || errno == EWOULDBLOCK ? SP_FILL_NOTHING : SP_FILL_ERROR;
        if (n_read == 0)
                return SP_FILL_END;

        if ((size_t)n_read <= n_partial) {
                partial->at += (size_t)n_read;
        } else {
                if (partial)
                        partial->at = partial->end;
                reader->end += (size_t)n_read - n_partial;
        }

        return (size_t)n_read < n_asked ? SP_FILL_SOME : SP_FILL_MORE;
}

static enum sp_next take_greeting(struct sp_reader *reader, const char **ret_problem)
{
        const uint8_t *bytes = reader->buffer + reader->begin;

        if (n_buffered(reader) < SP_GREETING_BYTES)
                return SP_NEXT_NONE;
        if (memcmp(bytes, pipit_sp_greeting_of_server, SP_GREETING_BYTES) != 0) {
                *ret_problem = "whoever listens there is no nng REP socket";
                return SP_NEXT_PROBLEM;
        }
        reader->begin += SP_GREETING_BYTES;
        reader->is_greeted = true;

        return SP_NEXT_GREETING;
}

/* A problem, or NULL: there is none, and a message if the head is complete. */
static const char *take_head(struct sp_reader *reader)
{
        size_t n_head = pipit_sp_head_bytes(reader->framing);
        uint64_t n_bytes;

        if (n_buffered(reader) < n_head)
                return NULL;
        if (!pipit_sp_head_read(reader->buffer + reader->begin, reader->framing, &n_bytes))
                return "the server sent what is no message of SP";
        if (n_bytes < SP_ID_BYTES)
                return "the server sent a message without a request id";
        if (n_bytes > reader->message_bytes_max)
                return "the server sent a message over the limit";

        reader->partial = sp_message_new((size_t)n_bytes - SP_ID_BYTES);
        if (!reader->partial)
                return "out of memory";
        reader->partial->at -= SP_ID_BYTES;
        reader->begin += n_head;

        return NULL;
}

static void fill_partial(struct sp_reader *reader)
{
        struct sp_message *partial = reader->partial;
        size_t n_bytes = partial->end - partial->at;

        if (n_bytes > n_buffered(reader))
                n_bytes = n_buffered(reader);
        memcpy(partial->bytes + partial->at, reader->buffer + reader->begin, n_bytes);
        partial->at += n_bytes;
        reader->begin += n_bytes;
}

static enum sp_next take_message(struct sp_reader *reader,
                                 struct sp_message **ret_message,
                                 const char **ret_problem)
{
        struct sp_message *message = reader->partial;
        uint32_t id;

        memcpy(&id, message->bytes + SP_FRAME_AT - SP_ID_BYTES, sizeof(id));
        message->id = be32toh(id);
        if (!(message->id & SP_ID_TOP)) {
                *ret_problem = "the server sent a message without a request id";
                return SP_NEXT_PROBLEM;
        }
        reader->partial = NULL;
        *ret_message = message;

        return SP_NEXT_MESSAGE;
}

enum sp_next sp_reader_next(struct sp_reader *reader,
                            struct sp_message **ret_message,
                            const char **ret_problem)
{
        const char *problem = NULL;

        if (!reader->is_greeted)
                return take_greeting(reader, ret_problem);
        if (!reader->partial)
                problem = take_head(reader);
        if (problem) {
                *ret_problem = problem;
                return SP_NEXT_PROBLEM;
        }
        if (!reader->partial)
                return SP_NEXT_NONE;

        fill_partial(reader);
        if (reader->partial->at < reader->partial->end)
                return SP_NEXT_NONE;

        return take_message(reader, ret_message, ret_problem);
}
