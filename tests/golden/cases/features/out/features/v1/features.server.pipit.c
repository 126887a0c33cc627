/* Written by protoc-gen-pipit from features/v1/features.proto: changes made here are lost. */

#include "features/v1/features.pipit.h"

static bool features_v1_feature_service_nest_dispatch(const void *handlers,
                                                      void *self,
                                                      struct pipit_server_call *call,
                                                      const ProtobufCMessage *request)
{
        const struct features_v1_feature_service *typed = handlers;

        if (!typed->nest)
                return false;

        if (call)
                (*typed->nest)(self, call, (const void *)request);

        return true;
}

void features_v1_nest_reply(struct pipit_server_call *call,
                            const Google__Protobuf__Timestamp *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn features_v1_feature_service_dispatch[] = {
        features_v1_feature_service_nest_dispatch,
};

_Static_assert(sizeof(((struct features_v1_feature_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status features_v1_feature_service_register(
                struct pipit_server *server,
                const struct features_v1_feature_service *handlers,
                void *self)
{
        return pipit_server_register(server,
                                     &features_v1_feature_service_descriptor,
                                     features_v1_feature_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
