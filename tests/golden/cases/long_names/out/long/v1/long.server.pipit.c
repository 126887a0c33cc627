/* Written by protoc-gen-pipit from long/v1/long.proto: changes made here are lost. */

#include "long/v1/long.pipit.h"

static bool long_v1_cat_service_get_dispatch(const void *handlers,
                                             void *self,
                                             struct pipit_server_call *call,
                                             const ProtobufCMessage *request)
{
        const struct long_v1_cat_service *typed = handlers;

        if (!typed->get)
                return false;

        if (call)
                (*typed->get)(self, call, (const void *)request);

        return true;
}

void long_v1_cat_service_get_reply(struct pipit_server_call *call, const Long__V1__Key *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn long_v1_cat_service_dispatch[] = {
        long_v1_cat_service_get_dispatch,
};

_Static_assert(sizeof(((struct long_v1_cat_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status long_v1_cat_service_register(struct pipit_server *server,
                                               const struct long_v1_cat_service *handlers,
                                               void *self)
{
        return pipit_server_register(server,
                                     &long_v1_cat_service_descriptor,
                                     long_v1_cat_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}

static bool long_v1_dog_service_get_dispatch(const void *handlers,
                                             void *self,
                                             struct pipit_server_call *call,
                                             const ProtobufCMessage *request)
{
        const struct long_v1_dog_service *typed = handlers;

        if (!typed->get)
                return false;

        if (call)
                (*typed->get)(self, call, (const void *)request);

        return true;
}

void long_v1_dog_service_get_reply(struct pipit_server_call *call, const Long__V1__Key *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn long_v1_dog_service_dispatch[] = {
        long_v1_dog_service_get_dispatch,
};

_Static_assert(sizeof(((struct long_v1_dog_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status long_v1_dog_service_register(struct pipit_server *server,
                                               const struct long_v1_dog_service *handlers,
                                               void *self)
{
        return pipit_server_register(server,
                                     &long_v1_dog_service_descriptor,
                                     long_v1_dog_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
