/* Written by protoc-gen-pipit from signed.proto: changes made here are lost. */

#include "signed.pipit.h"

static bool signed__sign_dispatch(const void *handlers,
                                  void *self,
                                  struct pipit_server_call *call,
                                  const ProtobufCMessage *request)
{
        const struct signed_ *typed = handlers;

        if (!typed->sign)
                return false;

        if (call)
                (*typed->sign)(self, call, (const void *)request);

        return true;
}

void signed__sign_reply(struct pipit_server_call *call, const Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn signed__dispatch[] = {
        signed__sign_dispatch,
};

_Static_assert(sizeof(((struct signed_ *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status signed__register(struct pipit_server *server,
                                   const struct signed_ *handlers,
                                   void *self)
{
        return pipit_server_register(server,
                                     &signed__descriptor,
                                     signed__dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
