/* Written by protoc-gen-pipit from long/v1/long.proto: changes made here are lost. */

#ifndef LONG_V1_LONG_PIPIT_H
#define LONG_V1_LONG_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "long/v1/long.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file long_v1_long_proto;

/* --- long.v1.CatService --- */

extern const struct pipit_service long_v1_cat_service_descriptor;

/* --- long.v1.CatService: server --- */

/*
 * Handlers of long.v1.CatService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct long_v1_cat_service {
        void (*get)(void *self, struct pipit_server_call *call, const Long__V1__Key *request);

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
enum pipit_status long_v1_cat_service_register(struct pipit_server *server,
                                               const struct long_v1_cat_service *handlers,
                                               void *self);

void long_v1_cat_service_get_reply(struct pipit_server_call *call, const Long__V1__Key *response);

/* --- long.v1.CatService: client --- */

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
enum pipit_status long_v1_cat_service_get(struct pipit_channel *channel,
                                          struct pipit_call *call,
                                          const Long__V1__Key *request,
                                          const Long__V1__Key **ret_response);
void long_v1_cat_service_get_start(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Long__V1__Key *request);
const Long__V1__Key *long_v1_cat_service_get_response(const struct pipit_call *call);

/* --- long.v1.DogService --- */

extern const struct pipit_service long_v1_dog_service_descriptor;

/* --- long.v1.DogService: server --- */

/*
 * Handlers of long.v1.DogService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct long_v1_dog_service {
        void (*get)(void *self, struct pipit_server_call *call, const Long__V1__Key *request);

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
enum pipit_status long_v1_dog_service_register(struct pipit_server *server,
                                               const struct long_v1_dog_service *handlers,
                                               void *self);

void long_v1_dog_service_get_reply(struct pipit_server_call *call, const Long__V1__Key *response);

/* --- long.v1.DogService: client --- */

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
enum pipit_status long_v1_dog_service_get(struct pipit_channel *channel,
                                          struct pipit_call *call,
                                          const Long__V1__Key *request,
                                          const Long__V1__Key **ret_response);
void long_v1_dog_service_get_start(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Long__V1__Key *request);
const Long__V1__Key *long_v1_dog_service_get_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
