/* Written by protoc-gen-pipit from services/v1/services.proto: changes made here are lost. */
/*
 * Comments of all kinds, and
 * services side by side.
 */

#ifndef SERVICES_V1_SERVICES_PIPIT_H
#define SERVICES_V1_SERVICES_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "services/v1/services.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file services_v1_services_proto;

/* --- services.v1.ThingService --- */

/* Detached: not about the service. */

/*
 * The first service.
 *
 *   Indented, after an empty line.
 * A mark in it: * / and / * and / * /, no harm done.
 */
extern const struct pipit_service services_v1_thing_service_descriptor;

/* --- services.v1.ThingService: server --- */

/*
 * Handlers of services.v1.ThingService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct services_v1_thing_service {
        /*
         * A block comment
         * of two lines.
         */
        void (*get_thing)(void *self,
                          struct pipit_server_call *call,
                          const Services__V1__Thing *request);

        /* Behind the method. */
        void (*put_thing)(void *self,
                          struct pipit_server_call *call,
                          const Services__V1__Thing *request);

        /* No blank, and backslashes: \n "quoted" \ */
        void (*drop_thing)(void *self,
                           struct pipit_server_call *call,
                           const Services__V1__Thing *request);

        void (*silent)(void *self,
                       struct pipit_server_call *call,
                       const Services__V1__Thing *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool get_thing;
                bool put_thing;
                bool drop_thing;
                bool silent;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status services_v1_thing_service_register(
                struct pipit_server *server,
                const struct services_v1_thing_service *handlers,
                void *self);

void services_v1_get_thing_reply(struct pipit_server_call *call,
                                 const Services__V1__Thing *response);

void services_v1_put_thing_reply(struct pipit_server_call *call,
                                 const Services__V1__Thing *response);

void services_v1_drop_thing_reply(struct pipit_server_call *call,
                                  const Services__V1__Thing *response);

void services_v1_silent_reply(struct pipit_server_call *call,
                              const Services__V1__Thing *response);

/* --- services.v1.ThingService: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

/*
 * A block comment
 * of two lines.
 */
PIPIT_MUST_CHECK
enum pipit_status services_v1_get_thing(struct pipit_channel *channel,
                                        struct pipit_call *call,
                                        const Services__V1__Thing *request,
                                        const Services__V1__Thing **ret_response);
void services_v1_get_thing_start(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Services__V1__Thing *request);
const Services__V1__Thing *services_v1_get_thing_response(const struct pipit_call *call);

/* Behind the method. */
PIPIT_MUST_CHECK
enum pipit_status services_v1_put_thing(struct pipit_channel *channel,
                                        struct pipit_call *call,
                                        const Services__V1__Thing *request,
                                        const Services__V1__Thing **ret_response);
void services_v1_put_thing_start(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Services__V1__Thing *request);
const Services__V1__Thing *services_v1_put_thing_response(const struct pipit_call *call);

/* No blank, and backslashes: \n "quoted" \ */
PIPIT_DEPRECATED PIPIT_MUST_CHECK
enum pipit_status services_v1_drop_thing(struct pipit_channel *channel,
                                         struct pipit_call *call,
                                         const Services__V1__Thing *request,
                                         const Services__V1__Thing **ret_response);
PIPIT_DEPRECATED
void services_v1_drop_thing_start(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Services__V1__Thing *request);
const Services__V1__Thing *services_v1_drop_thing_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status services_v1_silent(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Services__V1__Thing *request,
                                     const Services__V1__Thing **ret_response);
void services_v1_silent_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Services__V1__Thing *request);
const Services__V1__Thing *services_v1_silent_response(const struct pipit_call *call);

/* --- services.v1.OldService --- */

/* Out of use. */
extern const struct pipit_service services_v1_old_service_descriptor;

/* --- services.v1.OldService: server --- */

/*
 * Handlers of services.v1.OldService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct services_v1_old_service {
        void (*rest)(void *self,
                     struct pipit_server_call *call,
                     const Services__V1__Thing *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool rest;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status services_v1_old_service_register(struct pipit_server *server,
                                                   const struct services_v1_old_service *handlers,
                                                   void *self);

void services_v1_rest_reply(struct pipit_server_call *call, const Services__V1__Thing *response);

/* --- services.v1.OldService: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

PIPIT_DEPRECATED PIPIT_MUST_CHECK
enum pipit_status services_v1_rest(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Services__V1__Thing *request,
                                   const Services__V1__Thing **ret_response);
PIPIT_DEPRECATED
void services_v1_rest_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Services__V1__Thing *request);
const Services__V1__Thing *services_v1_rest_response(const struct pipit_call *call);

/* --- services.v1.EmptyService --- */

/* Nothing to call. */
extern const struct pipit_service services_v1_empty_service_descriptor;

/* --- services.v1.EmptyService: server --- */

/*
 * Handlers of services.v1.EmptyService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct services_v1_empty_service {
        char unused; /* there are no methods */
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status services_v1_empty_service_register(
                struct pipit_server *server,
                const struct services_v1_empty_service *handlers,
                void *self);

PIPIT_END_DECLS

#endif
