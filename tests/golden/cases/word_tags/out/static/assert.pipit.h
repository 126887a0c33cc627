/* Written by protoc-gen-pipit from static/assert.proto: changes made here are lost. */

#ifndef STATIC_ASSERT_PIPIT_H
#define STATIC_ASSERT_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "static/assert.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file static_assert_proto;

/* --- static.Assert --- */

/* Function and tag would be static_assert. */
extern const struct pipit_service static_assert__descriptor;

/* --- static.Assert: server --- */

/*
 * Handlers of static.Assert; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct static_assert_ {
        void (*assert)(void *self,
                       struct pipit_server_call *call,
                       const Static__Nothing *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool assert;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status static_assert__register(struct pipit_server *server,
                                          const struct static_assert_ *handlers,
                                          void *self);

void static_assert__reply(struct pipit_server_call *call, const Static__Nothing *response);

/* --- static.Assert: client --- */

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
enum pipit_status static_assert_(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Static__Nothing *request,
                                 const Static__Nothing **ret_response);
void static_assert__start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Static__Nothing *request);
const Static__Nothing *static_assert__response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
