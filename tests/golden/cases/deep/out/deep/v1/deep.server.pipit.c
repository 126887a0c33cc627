/* Written by protoc-gen-pipit from deep/v1/deep.proto: changes made here are lost. */

#include "deep/v1/deep.pipit.h"

static bool deep_v1_deep_service_dive_dispatch(const void *handlers,
                                               void *self,
                                               struct pipit_server_call *call,
                                               const ProtobufCMessage *request)
{
        const struct deep_v1_deep_service *typed = handlers;

        if (!typed->dive)
                return false;

        if (call)
                (*typed->dive)(self, call, (const void *)request);

        return true;
}

void deep_v1_dive_reply(struct pipit_server_call *call, const Deep__V1__L0 *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn deep_v1_deep_service_dispatch[] = {
        deep_v1_deep_service_dive_dispatch,
};

_Static_assert(sizeof(((struct deep_v1_deep_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status deep_v1_deep_service_register(struct pipit_server *server,
                                                const struct deep_v1_deep_service *handlers,
                                                void *self)
{
        return pipit_server_register(server,
                                     &deep_v1_deep_service_descriptor,
                                     deep_v1_deep_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
