/* Written by protoc-gen-pipit from static/v1/words.proto: changes made here are lost. */

#include "static/v1/words.pipit.h"

static bool static_v1_register_typedef_dispatch(const void *handlers,
                                                void *self,
                                                struct pipit_server_call *call,
                                                const ProtobufCMessage *request)
{
        const struct static_v1_register *typed = handlers;

        if (!typed->typedef_)
                return false;

        if (call)
                (*typed->typedef_)(self, call, (const void *)request);

        return true;
}

void static_v1_typedef_reply(struct pipit_server_call *call, const Static__V1__Void *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool static_v1_register_restrict_dispatch(const void *handlers,
                                                 void *self,
                                                 struct pipit_server_call *call,
                                                 const ProtobufCMessage *request)
{
        const struct static_v1_register *typed = handlers;

        if (!typed->restrict_)
                return false;

        if (call)
                (*typed->restrict_)(self, call, (const void *)request);

        return true;
}

void static_v1_restrict_reply(struct pipit_server_call *call, const Static__V1__Struct *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn static_v1_register_dispatch[] = {
        static_v1_register_typedef_dispatch,
        static_v1_register_restrict_dispatch,
};

_Static_assert(sizeof(((struct static_v1_register *)0)->blocks) == 2 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status static_v1_register_register(struct pipit_server *server,
                                              const struct static_v1_register *handlers,
                                              void *self)
{
        return pipit_server_register(server,
                                     &static_v1_register_descriptor,
                                     static_v1_register_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
