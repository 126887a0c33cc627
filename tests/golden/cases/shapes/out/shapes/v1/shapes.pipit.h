/* Written by protoc-gen-pipit from shapes/v1/shapes.proto: changes made here are lost. */

#ifndef SHAPES_V1_SHAPES_PIPIT_H
#define SHAPES_V1_SHAPES_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "shapes/v1/shapes.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file shapes_v1_shapes_proto;

/* --- shapes.v1.ShapeService --- */

extern const struct pipit_service shapes_v1_shape_service_descriptor;

/* --- shapes.v1.ShapeService: server --- */

/*
 * Handlers of shapes.v1.ShapeService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct shapes_v1_shape_service {
        void (*grow)(void *self, struct pipit_server_call *call, const Shapes__V1__Tree *request);

        void (*look)(void *self,
                     struct pipit_server_call *call,
                     const Shapes__V1__Maps__Inner *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool grow;
                bool look;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status shapes_v1_shape_service_register(struct pipit_server *server,
                                                   const struct shapes_v1_shape_service *handlers,
                                                   void *self);

void shapes_v1_grow_reply(struct pipit_server_call *call, const Shapes__V1__Tree *response);

void shapes_v1_look_reply(struct pipit_server_call *call, const Shapes__V1__Empty *response);

/* --- shapes.v1.ShapeService: client --- */

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
enum pipit_status shapes_v1_grow(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Shapes__V1__Tree *request,
                                 const Shapes__V1__Tree **ret_response);
void shapes_v1_grow_start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Shapes__V1__Tree *request);
const Shapes__V1__Tree *shapes_v1_grow_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status shapes_v1_look(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Shapes__V1__Maps__Inner *request,
                                 const Shapes__V1__Empty **ret_response);
void shapes_v1_look_start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Shapes__V1__Maps__Inner *request);
const Shapes__V1__Empty *shapes_v1_look_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
