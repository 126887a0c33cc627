/* Written by protoc-gen-pipit from deep/v1/deep.proto: changes made here are lost. */

#ifndef DEEP_V1_DEEP_PIPIT_H
#define DEEP_V1_DEEP_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "deep/v1/deep.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file deep_v1_deep_proto;

/* --- deep.v1.DeepService --- */

extern const struct pipit_service deep_v1_deep_service_descriptor;

/* --- deep.v1.DeepService: server --- */

/*
 * Handlers of deep.v1.DeepService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct deep_v1_deep_service {
        void (*dive)(void *self,
                     struct pipit_server_call *call,
                     const Deep__V1__L0__L1__L2__L3__L4__L5__L6__L7__L8__L9__L10__L11 *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool dive;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status deep_v1_deep_service_register(struct pipit_server *server,
                                                const struct deep_v1_deep_service *handlers,
                                                void *self);

void deep_v1_dive_reply(struct pipit_server_call *call, const Deep__V1__L0 *response);

/* --- deep.v1.DeepService: client --- */

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
enum pipit_status deep_v1_dive(
                struct pipit_channel *channel,
                struct pipit_call *call,
                const Deep__V1__L0__L1__L2__L3__L4__L5__L6__L7__L8__L9__L10__L11 *request,
                const Deep__V1__L0 **ret_response);
void deep_v1_dive_start(struct pipit_channel *channel,
                        struct pipit_call *call,
                        const Deep__V1__L0__L1__L2__L3__L4__L5__L6__L7__L8__L9__L10__L11 *request);
const Deep__V1__L0 *deep_v1_dive_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
