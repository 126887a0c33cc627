/* Written by protoc-gen-pipit from static/v1/words.proto: changes made here are lost. */

#ifndef STATIC_V1_WORDS_PIPIT_H
#define STATIC_V1_WORDS_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "static/v1/words.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file static_v1_words_proto;

/* --- static.v1.Register --- */

extern const struct pipit_service static_v1_register_descriptor;

/* --- static.v1.Register: server --- */

/*
 * Handlers of static.v1.Register; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct static_v1_register {
        void (*typedef_)(void *self,
                         struct pipit_server_call *call,
                         const Static__V1__Struct *request);

        void (*restrict_)(void *self,
                          struct pipit_server_call *call,
                          const Static__V1__Void *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool typedef_;
                bool restrict_;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status static_v1_register_register(struct pipit_server *server,
                                              const struct static_v1_register *handlers,
                                              void *self);

void static_v1_typedef_reply(struct pipit_server_call *call, const Static__V1__Void *response);

void static_v1_restrict_reply(struct pipit_server_call *call, const Static__V1__Struct *response);

/* --- static.v1.Register: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

PIPIT_MUST_CHECK
enum pipit_status static_v1_typedef(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Static__V1__Struct *request,
                                    const Static__V1__Void **ret_response);
void static_v1_typedef_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Static__V1__Struct *request);
const Static__V1__Void *static_v1_typedef_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status static_v1_restrict(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Static__V1__Void *request,
                                     const Static__V1__Struct **ret_response);
void static_v1_restrict_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Static__V1__Void *request);
const Static__V1__Struct *static_v1_restrict_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
