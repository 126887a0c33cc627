/* Written by protoc-gen-pipit from top/v1/top.proto: changes made here are lost. */

#include "top/v1/top.pipit.h"

static bool top_v1_top_service_get_dispatch(const void *handlers,
                                            void *self,
                                            struct pipit_server_call *call,
                                            const ProtobufCMessage *request)
{
        const struct top_v1_top_service *typed = handlers;

        if (!typed->get)
                return false;

        if (call)
                (*typed->get)(self, call, (const void *)request);

        return true;
}

void top_v1_get_reply(struct pipit_server_call *call, const Base__V1__Base *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn top_v1_top_service_dispatch[] = {
        top_v1_top_service_get_dispatch,
};

_Static_assert(sizeof(((struct top_v1_top_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status top_v1_top_service_register(struct pipit_server *server,
                                              const struct top_v1_top_service *handlers,
                                              void *self)
{
        return pipit_server_register(server,
                                     &top_v1_top_service_descriptor,
                                     top_v1_top_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
