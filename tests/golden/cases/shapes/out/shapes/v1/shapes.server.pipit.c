/* Written by protoc-gen-pipit from shapes/v1/shapes.proto: changes made here are lost. */

#include "shapes/v1/shapes.pipit.h"

static bool shapes_v1_shape_service_grow_dispatch(const void *handlers,
                                                  void *self,
                                                  struct pipit_server_call *call,
                                                  const ProtobufCMessage *request)
{
        const struct shapes_v1_shape_service *typed = handlers;

        if (!typed->grow)
                return false;

        if (call)
                (*typed->grow)(self, call, (const void *)request);

        return true;
}

void shapes_v1_grow_reply(struct pipit_server_call *call, const Shapes__V1__Tree *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool shapes_v1_shape_service_look_dispatch(const void *handlers,
                                                  void *self,
                                                  struct pipit_server_call *call,
                                                  const ProtobufCMessage *request)
{
        const struct shapes_v1_shape_service *typed = handlers;

        if (!typed->look)
                return false;

        if (call)
                (*typed->look)(self, call, (const void *)request);

        return true;
}

void shapes_v1_look_reply(struct pipit_server_call *call, const Shapes__V1__Empty *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn shapes_v1_shape_service_dispatch[] = {
        shapes_v1_shape_service_grow_dispatch,
        shapes_v1_shape_service_look_dispatch,
};

_Static_assert(sizeof(((struct shapes_v1_shape_service *)0)->blocks) == 2 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status shapes_v1_shape_service_register(struct pipit_server *server,
                                                   const struct shapes_v1_shape_service *handlers,
                                                   void *self)
{
        return pipit_server_register(server,
                                     &shapes_v1_shape_service_descriptor,
                                     shapes_v1_shape_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
