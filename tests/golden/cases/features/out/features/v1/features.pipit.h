/* Written by protoc-gen-pipit from features/v1/features.proto: changes made here are lost. */
/* Every kind of field, once. */

#ifndef FEATURES_V1_FEATURES_PIPIT_H
#define FEATURES_V1_FEATURES_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "features/v1/features.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file features_v1_features_proto;

/* --- features.v1.FeatureService --- */

/* Takes what is nested and what is imported. */
extern const struct pipit_service features_v1_feature_service_descriptor;

/* --- features.v1.FeatureService: server --- */

/*
 * Handlers of features.v1.FeatureService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct features_v1_feature_service {
        /* Inside in, outside out. */
        void (*nest)(void *self,
                     struct pipit_server_call *call,
                     const Features__V1__Everything__Inner__Innermost *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool nest;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status features_v1_feature_service_register(
                struct pipit_server *server,
                const struct features_v1_feature_service *handlers,
                void *self);

void features_v1_nest_reply(struct pipit_server_call *call,
                            const Google__Protobuf__Timestamp *response);

/* --- features.v1.FeatureService: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

/* Inside in, outside out. */
PIPIT_MUST_CHECK
enum pipit_status features_v1_nest(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Features__V1__Everything__Inner__Innermost *request,
                                   const Google__Protobuf__Timestamp **ret_response);
void features_v1_nest_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Features__V1__Everything__Inner__Innermost *request);
const Google__Protobuf__Timestamp *features_v1_nest_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
