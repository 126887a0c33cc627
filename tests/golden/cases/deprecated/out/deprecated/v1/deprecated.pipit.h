/* Written by protoc-gen-pipit from deprecated/v1/deprecated.proto: changes made here are lost. */

#ifndef DEPRECATED_V1_DEPRECATED_PIPIT_H
#define DEPRECATED_V1_DEPRECATED_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "deprecated/v1/deprecated.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file deprecated_v1_deprecated_proto;

/* --- deprecated.v1.MixedService --- */

extern const struct pipit_service deprecated_v1_mixed_service_descriptor;

/* --- deprecated.v1.MixedService: server --- */

/*
 * Handlers of deprecated.v1.MixedService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct deprecated_v1_mixed_service {
        void (*stay)(void *self,
                     struct pipit_server_call *call,
                     const Deprecated__V1__Old *request);

        void (*go)(void *self,
                   struct pipit_server_call *call,
                   const Deprecated__V1__Old *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool stay;
                bool go;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status deprecated_v1_mixed_service_register(
                struct pipit_server *server,
                const struct deprecated_v1_mixed_service *handlers,
                void *self);

void deprecated_v1_stay_reply(struct pipit_server_call *call,
                              const Deprecated__V1__Old *response);

void deprecated_v1_go_reply(struct pipit_server_call *call, const Deprecated__V1__Old *response);

/* --- deprecated.v1.MixedService: client --- */

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
enum pipit_status deprecated_v1_stay(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Deprecated__V1__Old *request,
                                     const Deprecated__V1__Old **ret_response);
void deprecated_v1_stay_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Deprecated__V1__Old *request);
const Deprecated__V1__Old *deprecated_v1_stay_response(const struct pipit_call *call);

PIPIT_DEPRECATED PIPIT_MUST_CHECK
enum pipit_status deprecated_v1_go(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Deprecated__V1__Old *request,
                                   const Deprecated__V1__Old **ret_response);
PIPIT_DEPRECATED
void deprecated_v1_go_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Deprecated__V1__Old *request);
const Deprecated__V1__Old *deprecated_v1_go_response(const struct pipit_call *call);

/* --- deprecated.v1.OldService --- */

extern const struct pipit_service deprecated_v1_old_service_descriptor;

/* --- deprecated.v1.OldService: server --- */

/*
 * Handlers of deprecated.v1.OldService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct deprecated_v1_old_service {
        void (*rest)(void *self,
                     struct pipit_server_call *call,
                     const Deprecated__V1__Old *request);

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
enum pipit_status deprecated_v1_old_service_register(
                struct pipit_server *server,
                const struct deprecated_v1_old_service *handlers,
                void *self);

void deprecated_v1_rest_reply(struct pipit_server_call *call,
                              const Deprecated__V1__Old *response);

/* --- deprecated.v1.OldService: client --- */

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
enum pipit_status deprecated_v1_rest(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Deprecated__V1__Old *request,
                                     const Deprecated__V1__Old **ret_response);
PIPIT_DEPRECATED
void deprecated_v1_rest_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Deprecated__V1__Old *request);
const Deprecated__V1__Old *deprecated_v1_rest_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
