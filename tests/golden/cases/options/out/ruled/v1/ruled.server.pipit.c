/* Written by protoc-gen-pipit from ruled/v1/ruled.proto: changes made here are lost. */

#include "ruled/v1/ruled.pipit.h"

static bool ruled_v1_ruled_service_rule_dispatch(const void *handlers,
                                                 void *self,
                                                 struct pipit_server_call *call,
                                                 const ProtobufCMessage *request)
{
        const struct ruled_v1_ruled_service *typed = handlers;

        if (!typed->rule)
                return false;

        if (call)
                (*typed->rule)(self, call, (const void *)request);

        return true;
}

void ruled_v1_rule_reply(struct pipit_server_call *call, const Google__Protobuf__Empty *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn ruled_v1_ruled_service_dispatch[] = {
        ruled_v1_ruled_service_rule_dispatch,
};

_Static_assert(sizeof(((struct ruled_v1_ruled_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status ruled_v1_ruled_service_register(struct pipit_server *server,
                                                  const struct ruled_v1_ruled_service *handlers,
                                                  void *self)
{
        return pipit_server_register(server,
                                     &ruled_v1_ruled_service_descriptor,
                                     ruled_v1_ruled_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
