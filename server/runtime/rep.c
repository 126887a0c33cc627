#include "server/runtime/rep.h"

#include <stdlib.h>
#include <string.h>

#include "server/runtime/nng_rep.h"
#include "server/runtime/rep_message.h"
#include "server/runtime/rep_stream.h"

/* --- endpoints ----------------------------------------------------------- */

struct rep_endpoint *rep_endpoint_new(const char *url,
                                      enum rep_transport transport,
                                      const struct rep_options *options,
                                      const struct rep_handlers *handlers,
                                      void *self)
{
        bool is_inproc = transport == REP_TRANSPORT_INPROC;
        struct rep_endpoint *endpoint = is_inproc ? nng_endpoint_new() : stream_endpoint_new();

        if (!endpoint)
                return NULL;

        endpoint->operations = is_inproc ? &nng_endpoint_operations : &stream_endpoint_operations;
        endpoint->transport = transport;
        endpoint->options = *options;
        endpoint->handlers = handlers;
        endpoint->self = self;
        endpoint->url = strdup(url);
        if (!endpoint->url)
                return rep_endpoint_free(endpoint);

        return endpoint;
}

struct rep_endpoint *rep_endpoint_free(struct rep_endpoint *endpoint)
{
        if (endpoint)
                endpoint->operations->free(endpoint);

        return NULL;
}

enum pipit_status rep_endpoint_listen(struct rep_endpoint *endpoint,
                                      struct rep_loop *loop,
                                      struct pipit_error *ret_error)
{
        return endpoint->operations->listen(endpoint, loop, ret_error);
}

const char *rep_endpoint_url(const struct rep_endpoint *endpoint)
{
        return endpoint->url;
}

enum rep_transport rep_endpoint_transport(const struct rep_endpoint *endpoint)
{
        return endpoint->transport;
}

enum rep_state rep_endpoint_look_after(struct rep_endpoint *endpoint)
{
        return endpoint->operations->look_after(endpoint);
}

unsigned rep_endpoint_n_taken(const struct rep_endpoint *endpoint)
{
        return atomic_load(&endpoint->n_taken);
}

unsigned rep_endpoint_n_sending(const struct rep_endpoint *endpoint)
{
        return atomic_load(&endpoint->n_sending);
}

void rep_endpoint_shut(struct rep_endpoint *endpoint)
{
        atomic_store(&endpoint->is_shut, true);
}

void rep_endpoint_close(struct rep_endpoint *endpoint)
{
        endpoint->operations->close(endpoint);
}

/* --- frames -------------------------------------------------------------- */

struct rep_message *rep_message_new(size_t n_bytes)
{
        struct rep_message *message = malloc(sizeof(*message) + REP_MESSAGE_ROOM_BYTES + n_bytes);

        if (!message)
                return NULL;

        message->frame_at = REP_MESSAGE_ROOM_BYTES;
        message->n_frame = n_bytes;
        message->at = REP_MESSAGE_ROOM_BYTES;
        message->end = REP_MESSAGE_ROOM_BYTES + n_bytes;

        return message;
}

struct rep_message *rep_message_free(struct rep_message *message)
{
        free(message);

        return NULL;
}

uint8_t *rep_message_bytes(struct rep_message *message)
{
        return message->bytes + message->frame_at;
}

size_t rep_message_n_bytes(struct rep_message *message)
{
        return message->n_frame;
}

/* --- answers ------------------------------------------------------------- */

void rep_context_answer(struct rep_context *context, struct rep_message *message)
{
        context->operations->answer(context, message);
}

void rep_context_drop(struct rep_context *context)
{
        context->operations->drop(context);
}
