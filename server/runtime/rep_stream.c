#include "server/runtime/rep_stream.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pipit/server.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "server/runtime/rep_message.h"

/* Of a message that is long memory is taken as it comes: this much, then twice as much. */
#define PARTIAL_BYTES_MIN 65536

/* So many reads in a row, then it is the turn of others. */
#define READS_MAX 4

/* What is ready leaves at least this often, though there is more to be read. */
#define BURST_US 500

/* Ids of streams have this bit alone of the two highest: nng's have neither, in-process ones both. */
#define PIPE_ID_BIT  UINT32_C(0x80000000)
#define PIPE_ID_MASK UINT32_C(0x3fffffff)

struct stream_context {
        struct rep_context base;
        struct rep_stream *stream; /* a reference */
        size_t n_word_bytes;
        uint8_t words[SP_WORDS_MAX * SP_ID_BYTES];
};

struct rep_stream *rep_stream_ref(struct rep_stream *stream)
{
        atomic_fetch_add(&stream->refs, 1);

        return stream;
}

void rep_stream_unref(struct rep_stream *stream)
{
        if (atomic_fetch_sub(&stream->refs, 1) != 1)
                return;

        (void)close(stream->fd);
        pthread_mutex_destroy(&stream->mutex);
        free(stream);
}

void rep_stream_shut_down(struct rep_stream *stream)
{
        (void)shutdown(stream->fd, SHUT_RDWR);
}

/* --- contexts -------------------------------------------------------------- */

static void context_free(struct stream_context *context)
{
        struct rep_endpoint *endpoint = context->base.endpoint;
        struct rep_stream *stream = context->stream;

        free(context);
        atomic_fetch_sub(endpoint->options.n_contexts, 1);
        atomic_fetch_sub(&endpoint->n_taken, 1);
        rep_stream_unref(stream);
}

static void context_answer(struct rep_context *base, struct rep_message *message)
{
        struct stream_context *context = pipit_container_of(base, struct stream_context, base);
        struct rep_stream *stream = context->stream;
        uint8_t *bytes = message->bytes + message->frame_at - context->n_word_bytes;

        memcpy(bytes, context->words, context->n_word_bytes);
        bytes = pipit_sp_head_write(
                bytes, stream->framing, context->n_word_bytes + message->n_frame);
        message->at = (size_t)(bytes - message->bytes);
        message->peer = base->peer;
        atomic_fetch_add(&base->endpoint->n_sending, 1);
        rep_output_give(stream, message);
        context_free(context);
}

static void context_drop(struct rep_context *base)
{
        context_free(pipit_container_of(base, struct stream_context, base));
}

static const struct rep_context_operations context_operations = {
        .answer = context_answer,
        .drop = context_drop,
};

static struct stream_context *context_new(struct rep_stream *stream, bool *ret_last)
{
        struct rep_endpoint *endpoint = &stream->endpoint->base;
        struct stream_context *context = malloc(sizeof(*context));

        if (!context)
                return NULL;

        context->base = (struct rep_context){
                .operations = &context_operations,
                .endpoint = endpoint,
        };
        context->stream = rep_stream_ref(stream);
        atomic_fetch_add(&endpoint->n_taken, 1);
        *ret_last = atomic_fetch_add(endpoint->options.n_contexts, 1) + 1 >=
                    endpoint->options.contexts_max;

        return context;
}

/* --- messages -------------------------------------------------------------- */

enum words {
        WORDS_OK,
        WORDS_TOO_MANY,
        WORDS_CUT_OFF,
};

/* The words before the frame, up to the one with the top bit. */
static enum words count_words(const uint8_t *bytes, size_t n_bytes, size_t *ret_n_bytes)
{
        for (size_t i = 0; i < SP_WORDS_MAX; ++i) {
                uint32_t word;

                if (n_bytes < (i + 1) * SP_ID_BYTES)
                        return WORDS_CUT_OFF;
                memcpy(&word, bytes + i * SP_ID_BYTES, sizeof(word));
                if (be32toh(word) & SP_ID_TOP) {
                        *ret_n_bytes = (i + 1) * SP_ID_BYTES;
                        return WORDS_OK;
                }
        }

        return WORDS_TOO_MANY;
}

/* Takes @message. False: it breaks the protocol, or there is no memory. */
static bool deliver(struct rep_stream *stream, struct rep_message *message)
{
        struct rep_endpoint *endpoint = &stream->endpoint->base;
        struct stream_context *context;
        size_t n_word_bytes = 0;
        bool last;

        switch (count_words(rep_message_bytes(message), message->n_frame, &n_word_bytes)) {
        case WORDS_OK:
                break;
        case WORDS_TOO_MANY:
                rep_message_free(message);
                return true;
        case WORDS_CUT_OFF:
                rep_message_free(message);
                return false;
        }

        context = context_new(stream, &last);
        if (!context) {
                rep_message_free(message);
                return false;
        }
        context->n_word_bytes = n_word_bytes;
        memcpy(context->words, rep_message_bytes(message), n_word_bytes);
        message->frame_at += n_word_bytes;
        message->n_frame -= n_word_bytes;
        endpoint->handlers->received(endpoint->self, &context->base, message, stream->pipe, last);

        return true;
}

/* --- bytes ----------------------------------------------------------------- */

/* What one thread reads at a time. */
struct reading {
        struct rep_stream *stream;
        const uint8_t *bytes;
        size_t n_bytes;
        int64_t flush_us; /* 0: nothing is known to follow, and nobody has looked at the clock */
};

static size_t take_into(struct reading *reading, uint8_t *to, size_t n_wanted)
{
        size_t n = n_wanted < reading->n_bytes ? n_wanted : reading->n_bytes;

        memcpy(to, reading->bytes, n);
        reading->bytes += n;
        reading->n_bytes -= n;

        return n;
}

static bool take_greeting(struct reading *reading)
{
        struct rep_stream *stream = reading->stream;

        stream->n_head += (unsigned int)take_into(
                reading, stream->head + stream->n_head, SP_GREETING_BYTES - stream->n_head);
        if (memcmp(stream->head, pipit_sp_greeting_of_client, stream->n_head) != 0)
                return false;
        if (stream->n_head < SP_GREETING_BYTES)
                return true;

        stream->n_head = 0;
        stream->is_greeted = true;
        rep_keeper_forget_greeting(rep_loop_keeper(stream->endpoint->loop), stream);

        return true;
}

/* Room for a message of @n_bytes, or for how it begins. */
static bool partial_begin(struct rep_stream *stream, size_t n_bytes)
{
        size_t n_room = n_bytes < PARTIAL_BYTES_MIN ? n_bytes : PARTIAL_BYTES_MIN;
        struct rep_message *message = malloc(sizeof(*message) + n_room);

        if (!message)
                return false;
        message->frame_at = 0;
        message->n_frame = n_bytes;
        message->at = 0;
        message->end = n_bytes;
        stream->partial = message;
        stream->n_partial_room = n_room;

        return true;
}

static bool partial_grow(struct rep_stream *stream)
{
        size_t n_room = stream->n_partial_room * 2;
        struct rep_message *message;

        if (stream->partial->at < stream->n_partial_room ||
            stream->n_partial_room == stream->partial->end)
                return true;
        if (n_room > stream->partial->end)
                n_room = stream->partial->end;
        message = realloc(stream->partial, sizeof(*message) + n_room);
        if (!message)
                return false;
        stream->partial = message;
        stream->n_partial_room = n_room;

        return true;
}

static bool take_head(struct reading *reading)
{
        struct rep_stream *stream = reading->stream;
        size_t n_head = pipit_sp_head_bytes(stream->framing);
        uint64_t n_bytes;

        stream->n_head += (unsigned int)take_into(
                reading, stream->head + stream->n_head, n_head - stream->n_head);
        if (stream->n_head < n_head)
                return true;

        stream->n_head = 0;

        return pipit_sp_head_read(stream->head, stream->framing, &n_bytes) &&
               n_bytes <= stream->endpoint->base.options.receive_bytes_max &&
               partial_begin(stream, (size_t)n_bytes);
}

/* From the first message that has something behind it. A lone one needs no clock. */
static void flush_clock_start(struct reading *reading)
{
        if (reading->n_bytes == 0 || reading->flush_us)
                return;
        reading->flush_us = pipit_clock_now_us() + BURST_US;
        rep_output_cork(reading->stream);
}

/* Answers that are ready are not kept for as long as there is more to read. */
static void flush_now_and_then(struct reading *reading)
{
        int64_t now_us;

        if (!reading->flush_us)
                return;
        now_us = pipit_clock_now_us();
        if (now_us < reading->flush_us)
                return;
        pipit_server_uncork();
        rep_output_uncork(reading->stream);
        pipit_server_cork();
        rep_output_cork(reading->stream);
        reading->flush_us = now_us + BURST_US;
}

static bool take_partial(struct reading *reading)
{
        struct rep_stream *stream = reading->stream;
        struct rep_message *message = stream->partial;

        message->at += take_into(
                reading, message->bytes + message->at, stream->n_partial_room - message->at);
        if (message->at < message->end)
                return partial_grow(stream);

        stream->partial = NULL;
        flush_clock_start(reading);
        if (!deliver(stream, message))
                return false;
        flush_now_and_then(reading);

        return true;
}

/* False: the connection is over. */
static bool take_bytes(struct reading *reading)
{
        struct rep_stream *stream = reading->stream;
        bool goes_on = true;

        while (goes_on && (reading->n_bytes > 0 ||
                           (stream->partial && stream->partial->at == stream->partial->end))) {
                if (!stream->is_greeted)
                        goes_on = take_greeting(reading);
                else if (stream->partial)
                        goes_on = take_partial(reading);
                else
                        goes_on = take_head(reading);
        }

        return goes_on;
}

enum fill {
        FILL_SOME, /* and there was no more */
        FILL_MORE, /* and perhaps there is more */
        FILL_END,
};

static ssize_t receive(const struct rep_stream *stream, struct iovec parts[2], size_t n_parts)
{
        struct msghdr header = {.msg_iov = parts, .msg_iovlen = n_parts};

        /* Of one part recv() asks the kernel for less work. */
        return n_parts == 1 ? recv(stream->fd, parts->iov_base, parts->iov_len, MSG_DONTWAIT)
                            : recvmsg(stream->fd, &header, MSG_DONTWAIT);
}

/* One read: first what the message that is begun lacks, then whatever follows. */
static enum fill fill(struct reading *reading, uint8_t *scratch)
{
        struct rep_stream *stream = reading->stream;
        struct rep_message *partial = stream->partial;
        size_t n_partial = partial ? stream->n_partial_room - partial->at : 0;
        struct iovec parts[2] = {
                {.iov_base = partial ? partial->bytes + partial->at : NULL, .iov_len = n_partial},
                {.iov_base = scratch, .iov_len = REP_SCRATCH_BYTES},
        };
        /* Not beyond the room: what follows it in the stream belongs there. */
        bool is_cut = partial && stream->n_partial_room < partial->end;
        size_t n_asked = n_partial + (is_cut ? 0 : REP_SCRATCH_BYTES);
        ssize_t n_read;

        do
                n_read = receive(stream,
                                 n_partial > 0 ? parts : parts + 1,
                                 n_partial > 0 && !is_cut ? 2 : 1);
        while (n_read < 0 && errno == EINTR);
        reading->bytes = scratch;
        reading->n_bytes = 0;
        if (n_read < 0)
                return errno == EAGAIN || errno == EWOULDBLOCK ? FILL_SOME : FILL_END;
        if (n_read == 0)
                return FILL_END;

        if ((size_t)n_read > n_partial)
                reading->n_bytes = (size_t)n_read - n_partial;
        if (partial)
                partial->at += (size_t)n_read - reading->n_bytes;

        return (size_t)n_read < n_asked ? FILL_SOME : FILL_MORE;
}

/* False: the connection is over. */
static bool read_on(struct rep_stream *stream, uint8_t *scratch)
{
        struct reading reading = {.stream = stream};
        enum fill filled = FILL_MORE;

        for (int i = 0; i < READS_MAX && filled == FILL_MORE; ++i) {
                filled = fill(&reading, scratch);
                if (filled == FILL_END)
                        return false;
                /* What comes now comes too late. */
                if (atomic_load(&stream->endpoint->base.is_shut))
                        continue;
                if (stream->partial && !partial_grow(stream))
                        return false;
                if (!take_bytes(&reading))
                        return false;
        }

        return true;
}

/* --- stalls ---------------------------------------------------------------- */

/* One store a turn, and a look at the clock where a message is not whole: nobody is told. */
static void stall_begin(struct rep_stream *stream)
{
        uint32_t patience_ms = stream->endpoint->base.options.receive_timeout_ms;
        int64_t until_us = 0;

        if (stream->n_head > 0 || stream->partial)
                until_us = pipit_clock_now_us() + patience_ms * PIPIT_US_PER_MS;
        atomic_store_explicit(&stream->stall_us, until_us, memory_order_relaxed);
}

static void stall_end(struct rep_stream *stream)
{
        atomic_store_explicit(&stream->stall_us, 0, memory_order_relaxed);
}

void rep_stream_end_stalled(struct rep_stream *stream, int64_t now_us)
{
        int64_t stall_us = atomic_load_explicit(&stream->stall_us, memory_order_relaxed);
        uint8_t byte;

        if (!stall_us || now_us < stall_us)
                return;
        /* What has come and waits for a thread is not its peer's fault. */
        if (recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
                rep_stream_shut_down(stream);
}

/* --- life ------------------------------------------------------------------ */

static void take_down(struct rep_stream *stream)
{
        struct stream_endpoint *endpoint = stream->endpoint;

        rep_loop_remove(endpoint->loop, stream->fd);
        rep_keeper_forget_greeting(rep_loop_keeper(endpoint->loop), stream);
        rep_output_drop(stream);
        rep_stream_shut_down(stream);
        stream->partial = rep_message_free(stream->partial);
        endpoint->base.handlers->pipe_removed(endpoint->base.self, stream->pipe);
        stream_endpoint_remove(endpoint, stream);
        rep_stream_unref(stream);
}

static void on_readable(struct rep_source *source, uint8_t *scratch)
{
        struct rep_stream *stream = pipit_container_of(source, struct rep_stream, source);
        struct rep_loop *loop = stream->endpoint->loop;
        bool goes_on;

        stall_end(stream);
        pipit_server_cork();
        goes_on = read_on(stream, scratch);
        pipit_server_uncork();
        rep_output_uncork(stream);

        if (!goes_on) {
                take_down(stream);
                return;
        }
        stall_begin(stream);
        /* Before this has returned another thread may have taken it down. */
        rep_stream_ref(stream);
        rep_loop_arm(loop, &stream->source, stream->fd);
        rep_stream_unref(stream);
}

static struct rep_stream *stream_new(struct stream_endpoint *endpoint, int fd)
{
        static _Atomic uint32_t n_ever;
        struct rep_stream *stream = calloc(1, sizeof(*stream));

        if (!stream)
                return NULL;

        atomic_init(&stream->refs, 1);
        stream->source.on_readable = on_readable;
        stream->fd = fd;
        stream->pipe = PIPE_ID_BIT | (atomic_fetch_add(&n_ever, 1) & PIPE_ID_MASK);
        stream->framing = endpoint->framing;
        stream->endpoint = endpoint;
        stream->last = &stream->first;
        stream->output = (struct rep_kept){
                .on_ready = rep_output_write_on,
                .on_let_go = rep_output_let_go,
                .fd = fd,
                .events = EPOLLOUT,
                .is_looked_at = true,
        };
        list_init(&stream->of_endpoint);
        list_init(&stream->greeting);
        pthread_mutex_init(&stream->mutex, NULL);

        return stream;
}

/* All 0 where the connection is over already. */
static struct source locate(const struct rep_stream *stream)
{
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        struct source source = {.port = 0};
        socklen_t n_bytes = sizeof(address);

        if (getpeername(stream->fd, (struct sockaddr *)&address, &n_bytes) == 0)
                source_of_address((const struct sockaddr *)&address, &source);

        return source;
}

static struct rep_pipe_identity identify(struct rep_stream *stream)
{
        struct rep_pipe_identity identity = {
                .transport = stream->endpoint->base.transport,
                .stream = stream,
        };
        struct ucred peer;
        socklen_t n_bytes = sizeof(peer);

        if (identity.transport == REP_TRANSPORT_TCP)
                identity.source = locate(stream);

        if (identity.transport == REP_TRANSPORT_IPC &&
            getsockopt(stream->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n_bytes) == 0) {
                identity.has_uid = true;
                identity.uid = peer.uid;
                identity.pid = peer.pid;
        }

        return identity;
}

static void set_up_tcp(int fd)
{
        static const int on = 1;

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* An empty socket takes a greeting, unless the peer has left already. */
static bool greet(const struct rep_stream *stream)
{
        return send(stream->fd,
                    pipit_sp_greeting_of_server,
                    SP_GREETING_BYTES,
                    MSG_DONTWAIT | MSG_NOSIGNAL) == SP_GREETING_BYTES;
}

void rep_stream_start(struct stream_endpoint *endpoint, int fd)
{
        const struct rep_handlers *handlers = endpoint->base.handlers;
        struct rep_stream *stream = stream_new(endpoint, fd);
        struct rep_pipe_identity identity;

        if (!stream) {
                (void)close(fd);
                return;
        }
        if (stream->framing == SP_TCP)
                set_up_tcp(fd);
        identity = identify(stream);
        if (!handlers->pipe_added(endpoint->base.self, &endpoint->base, stream->pipe, &identity)) {
                rep_stream_unref(stream);
                return;
        }

        pthread_mutex_lock(&endpoint->mutex);
        list_append(&endpoint->streams, &stream->of_endpoint);
        pthread_mutex_unlock(&endpoint->mutex);
        rep_keeper_expect_greeting(rep_loop_keeper(endpoint->loop), stream);
        if (!greet(stream) || rep_loop_add(endpoint->loop, &stream->source, fd) != 0)
                take_down(stream);
}
