/* Written by protoc-gen-pipit from known/v1/known.proto: changes made here are lost. */

#include "known/v1/known.pipit.h"

static bool known_v1_known_service_empty_dispatch(const void *handlers,
                                                  void *self,
                                                  struct pipit_server_call *call,
                                                  const ProtobufCMessage *request)
{
        const struct known_v1_known_service *typed = handlers;

        if (!typed->empty)
                return false;

        if (call)
                (*typed->empty)(self, call, (const void *)request);

        return true;
}

void known_v1_empty_reply(struct pipit_server_call *call,
                          const Google__Protobuf__Struct *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool known_v1_known_service_any_dispatch(const void *handlers,
                                                void *self,
                                                struct pipit_server_call *call,
                                                const ProtobufCMessage *request)
{
        const struct known_v1_known_service *typed = handlers;

        if (!typed->any)
                return false;

        if (call)
                (*typed->any)(self, call, (const void *)request);

        return true;
}

void known_v1_any_reply(struct pipit_server_call *call,
                        const Google__Protobuf__StringValue *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn known_v1_known_service_dispatch[] = {
        known_v1_known_service_empty_dispatch,
        known_v1_known_service_any_dispatch,
};

_Static_assert(sizeof(((struct known_v1_known_service *)0)->blocks) == 2 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status known_v1_known_service_register(struct pipit_server *server,
                                                  const struct known_v1_known_service *handlers,
                                                  void *self)
{
        return pipit_server_register(server,
                                     &known_v1_known_service_descriptor,
                                     known_v1_known_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
