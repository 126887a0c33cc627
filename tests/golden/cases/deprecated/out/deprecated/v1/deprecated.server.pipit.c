/* Written by protoc-gen-pipit from deprecated/v1/deprecated.proto: changes made here are lost. */

#include "deprecated/v1/deprecated.pipit.h"

static bool deprecated_v1_mixed_service_stay_dispatch(const void *handlers,
                                                      void *self,
                                                      struct pipit_server_call *call,
                                                      const ProtobufCMessage *request)
{
        const struct deprecated_v1_mixed_service *typed = handlers;

        if (!typed->stay)
                return false;

        if (call)
                (*typed->stay)(self, call, (const void *)request);

        return true;
}

void deprecated_v1_stay_reply(struct pipit_server_call *call, const Deprecated__V1__Old *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool deprecated_v1_mixed_service_go_dispatch(const void *handlers,
                                                    void *self,
                                                    struct pipit_server_call *call,
                                                    const ProtobufCMessage *request)
{
        const struct deprecated_v1_mixed_service *typed = handlers;

        if (!typed->go)
                return false;

        if (call)
                (*typed->go)(self, call, (const void *)request);

        return true;
}

void deprecated_v1_go_reply(struct pipit_server_call *call, const Deprecated__V1__Old *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn deprecated_v1_mixed_service_dispatch[] = {
        deprecated_v1_mixed_service_stay_dispatch,
        deprecated_v1_mixed_service_go_dispatch,
};

_Static_assert(sizeof(((struct deprecated_v1_mixed_service *)0)->blocks) == 2 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status deprecated_v1_mixed_service_register(
                struct pipit_server *server,
                const struct deprecated_v1_mixed_service *handlers,
                void *self)
{
        return pipit_server_register(server,
                                     &deprecated_v1_mixed_service_descriptor,
                                     deprecated_v1_mixed_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}

static bool deprecated_v1_old_service_rest_dispatch(const void *handlers,
                                                    void *self,
                                                    struct pipit_server_call *call,
                                                    const ProtobufCMessage *request)
{
        const struct deprecated_v1_old_service *typed = handlers;

        if (!typed->rest)
                return false;

        if (call)
                (*typed->rest)(self, call, (const void *)request);

        return true;
}

void deprecated_v1_rest_reply(struct pipit_server_call *call, const Deprecated__V1__Old *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn deprecated_v1_old_service_dispatch[] = {
        deprecated_v1_old_service_rest_dispatch,
};

_Static_assert(sizeof(((struct deprecated_v1_old_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status deprecated_v1_old_service_register(
                struct pipit_server *server,
                const struct deprecated_v1_old_service *handlers,
                void *self)
{
        return pipit_server_register(server,
                                     &deprecated_v1_old_service_descriptor,
                                     deprecated_v1_old_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
