/* Written by protoc-gen-pipit from services/v1/services.proto: changes made here are lost. */

#include "services/v1/services.pipit.h"

static bool services_v1_thing_service_get_thing_dispatch(const void *handlers,
                                                         void *self,
                                                         struct pipit_server_call *call,
                                                         const ProtobufCMessage *request)
{
        const struct services_v1_thing_service *typed = handlers;

        if (!typed->get_thing)
                return false;

        if (call)
                (*typed->get_thing)(self, call, (const void *)request);

        return true;
}

void services_v1_get_thing_reply(struct pipit_server_call *call,
                                 const Services__V1__Thing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool services_v1_thing_service_put_thing_dispatch(const void *handlers,
                                                         void *self,
                                                         struct pipit_server_call *call,
                                                         const ProtobufCMessage *request)
{
        const struct services_v1_thing_service *typed = handlers;

        if (!typed->put_thing)
                return false;

        if (call)
                (*typed->put_thing)(self, call, (const void *)request);

        return true;
}

void services_v1_put_thing_reply(struct pipit_server_call *call,
                                 const Services__V1__Thing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool services_v1_thing_service_drop_thing_dispatch(const void *handlers,
                                                          void *self,
                                                          struct pipit_server_call *call,
                                                          const ProtobufCMessage *request)
{
        const struct services_v1_thing_service *typed = handlers;

        if (!typed->drop_thing)
                return false;

        if (call)
                (*typed->drop_thing)(self, call, (const void *)request);

        return true;
}

void services_v1_drop_thing_reply(struct pipit_server_call *call,
                                  const Services__V1__Thing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool services_v1_thing_service_silent_dispatch(const void *handlers,
                                                      void *self,
                                                      struct pipit_server_call *call,
                                                      const ProtobufCMessage *request)
{
        const struct services_v1_thing_service *typed = handlers;

        if (!typed->silent)
                return false;

        if (call)
                (*typed->silent)(self, call, (const void *)request);

        return true;
}

void services_v1_silent_reply(struct pipit_server_call *call, const Services__V1__Thing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn services_v1_thing_service_dispatch[] = {
        services_v1_thing_service_get_thing_dispatch,
        services_v1_thing_service_put_thing_dispatch,
        services_v1_thing_service_drop_thing_dispatch,
        services_v1_thing_service_silent_dispatch,
};

_Static_assert(sizeof(((struct services_v1_thing_service *)0)->blocks) == 4 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status services_v1_thing_service_register(
                struct pipit_server *server,
                const struct services_v1_thing_service *handlers,
                void *self)
{
        return pipit_server_register(server,
                                     &services_v1_thing_service_descriptor,
                                     services_v1_thing_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}

static bool services_v1_old_service_rest_dispatch(const void *handlers,
                                                  void *self,
                                                  struct pipit_server_call *call,
                                                  const ProtobufCMessage *request)
{
        const struct services_v1_old_service *typed = handlers;

        if (!typed->rest)
                return false;

        if (call)
                (*typed->rest)(self, call, (const void *)request);

        return true;
}

void services_v1_rest_reply(struct pipit_server_call *call, const Services__V1__Thing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn services_v1_old_service_dispatch[] = {
        services_v1_old_service_rest_dispatch,
};

_Static_assert(sizeof(((struct services_v1_old_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status services_v1_old_service_register(struct pipit_server *server,
                                                   const struct services_v1_old_service *handlers,
                                                   void *self)
{
        return pipit_server_register(server,
                                     &services_v1_old_service_descriptor,
                                     services_v1_old_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}

enum pipit_status services_v1_empty_service_register(
                struct pipit_server *server,
                const struct services_v1_empty_service *handlers,
                void *self)
{
        return pipit_server_register(server, &services_v1_empty_service_descriptor, NULL, NULL, handlers, self);
}
