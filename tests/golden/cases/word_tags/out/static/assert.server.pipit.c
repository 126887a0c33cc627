/* Written by protoc-gen-pipit from static/assert.proto: changes made here are lost. */

#include "static/assert.pipit.h"

static bool static_assert__assert_dispatch(const void *handlers,
                                           void *self,
                                           struct pipit_server_call *call,
                                           const ProtobufCMessage *request)
{
        const struct static_assert_ *typed = handlers;

        if (!typed->assert)
                return false;

        if (call)
                (*typed->assert)(self, call, (const void *)request);

        return true;
}

void static_assert__reply(struct pipit_server_call *call, const Static__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn static_assert__dispatch[] = {
        static_assert__assert_dispatch,
};

_Static_assert(sizeof(((struct static_assert_ *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status static_assert__register(struct pipit_server *server,
                                          const struct static_assert_ *handlers,
                                          void *self)
{
        return pipit_server_register(server,
                                     &static_assert__descriptor,
                                     static_assert__dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
