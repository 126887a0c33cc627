/* Written by protoc-gen-pipit from ruled/v1/ruled.proto: changes made here are lost. */

#ifndef RULED_V1_RULED_PIPIT_H
#define RULED_V1_RULED_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "google/protobuf/empty.pb-c.h"
#include "ruled/v1/ruled.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file ruled_v1_ruled_proto;

/* --- ruled.v1.RuledService --- */

extern const struct pipit_service ruled_v1_ruled_service_descriptor;

/* --- ruled.v1.RuledService: server --- */

/*
 * Handlers of ruled.v1.RuledService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct ruled_v1_ruled_service {
        /* Rules. */
        void (*rule)(void *self, struct pipit_server_call *call, const Ruled__V1__Ruled *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool rule;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status ruled_v1_ruled_service_register(struct pipit_server *server,
                                                  const struct ruled_v1_ruled_service *handlers,
                                                  void *self);

void ruled_v1_rule_reply(struct pipit_server_call *call, const Google__Protobuf__Empty *response);

/* --- ruled.v1.RuledService: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

/* Rules. */
PIPIT_MUST_CHECK
enum pipit_status ruled_v1_rule(struct pipit_channel *channel,
                                struct pipit_call *call,
                                const Ruled__V1__Ruled *request,
                                const Google__Protobuf__Empty **ret_response);
void ruled_v1_rule_start(struct pipit_channel *channel,
                         struct pipit_call *call,
                         const Ruled__V1__Ruled *request);
const Google__Protobuf__Empty *ruled_v1_rule_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
