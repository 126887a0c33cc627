/* Written by protoc-gen-pipit from signed.proto: changes made here are lost. */

#ifndef SIGNED_PIPIT_H
#define SIGNED_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "signed.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file signed_proto;

/* --- Signed --- */

/* Without a package its name in C is that of the keyword. */
extern const struct pipit_service signed__descriptor;

/* --- Signed: server --- */

/*
 * Handlers of Signed; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct signed_ {
        void (*sign)(void *self, struct pipit_server_call *call, const Nothing *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool sign;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status signed__register(struct pipit_server *server,
                                   const struct signed_ *handlers,
                                   void *self);

void signed__sign_reply(struct pipit_server_call *call, const Nothing *response);

/* --- Signed: client --- */

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
enum pipit_status signed__sign(struct pipit_channel *channel,
                               struct pipit_call *call,
                               const Nothing *request,
                               const Nothing **ret_response);
void signed__sign_start(struct pipit_channel *channel,
                        struct pipit_call *call,
                        const Nothing *request);
const Nothing *signed__sign_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
