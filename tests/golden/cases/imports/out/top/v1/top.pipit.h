/* Written by protoc-gen-pipit from top/v1/top.proto: changes made here are lost. */

#ifndef TOP_V1_TOP_PIPIT_H
#define TOP_V1_TOP_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "base/v1/base.pb-c.h"
#include "top/v1/top.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file top_v1_top_proto;

/* --- top.v1.TopService --- */

/* Base comes by way of middle.proto. */
extern const struct pipit_service top_v1_top_service_descriptor;

/* --- top.v1.TopService: server --- */

/*
 * Handlers of top.v1.TopService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct top_v1_top_service {
        void (*get)(void *self, struct pipit_server_call *call, const Base__V1__Base *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool get;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status top_v1_top_service_register(struct pipit_server *server,
                                              const struct top_v1_top_service *handlers,
                                              void *self);

void top_v1_get_reply(struct pipit_server_call *call, const Base__V1__Base *response);

/* --- top.v1.TopService: client --- */

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
enum pipit_status top_v1_get(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Base__V1__Base *request,
                             const Base__V1__Base **ret_response);
void top_v1_get_start(struct pipit_channel *channel,
                      struct pipit_call *call,
                      const Base__V1__Base *request);
const Base__V1__Base *top_v1_get_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
