/* Written by protoc-gen-pipit from known/v1/known.proto: changes made here are lost. */

#ifndef KNOWN_V1_KNOWN_PIPIT_H
#define KNOWN_V1_KNOWN_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/empty.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "known/v1/known.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file known_v1_known_proto;

/* --- known.v1.KnownService --- */

extern const struct pipit_service known_v1_known_service_descriptor;

/* --- known.v1.KnownService: server --- */

/*
 * Handlers of known.v1.KnownService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct known_v1_known_service {
        void (*empty)(void *self,
                      struct pipit_server_call *call,
                      const Google__Protobuf__Empty *request);

        void (*any)(void *self,
                    struct pipit_server_call *call,
                    const Google__Protobuf__Any *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool empty;
                bool any;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status known_v1_known_service_register(struct pipit_server *server,
                                                  const struct known_v1_known_service *handlers,
                                                  void *self);

void known_v1_empty_reply(struct pipit_server_call *call,
                          const Google__Protobuf__Struct *response);

void known_v1_any_reply(struct pipit_server_call *call,
                        const Google__Protobuf__StringValue *response);

/* --- known.v1.KnownService: client --- */

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
enum pipit_status known_v1_empty(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Google__Protobuf__Empty *request,
                                 const Google__Protobuf__Struct **ret_response);
void known_v1_empty_start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Google__Protobuf__Empty *request);
const Google__Protobuf__Struct *known_v1_empty_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status known_v1_any(struct pipit_channel *channel,
                               struct pipit_call *call,
                               const Google__Protobuf__Any *request,
                               const Google__Protobuf__StringValue **ret_response);
void known_v1_any_start(struct pipit_channel *channel,
                        struct pipit_call *call,
                        const Google__Protobuf__Any *request);
const Google__Protobuf__StringValue *known_v1_any_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
