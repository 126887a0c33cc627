/* Written by protoc-gen-pipit from no_package.proto: changes made here are lost. */

#ifndef NO_PACKAGE_PIPIT_H
#define NO_PACKAGE_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "no_package.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file no_package_proto;

/* --- Files --- */

/* Without a package, functions carry the service's name. */
extern const struct pipit_service files_descriptor;

/* --- Files: server --- */

/*
 * Handlers of Files; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct files {
        void (*open)(void *self, struct pipit_server_call *call, const Path *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool open;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status files_register(struct pipit_server *server,
                                 const struct files *handlers,
                                 void *self);

void files_open_reply(struct pipit_server_call *call, const Path *response);

/* --- Files: client --- */

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
enum pipit_status files_open(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Path *request,
                             const Path **ret_response);
void files_open_start(struct pipit_channel *channel,
                      struct pipit_call *call,
                      const Path *request);
const Path *files_open_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
