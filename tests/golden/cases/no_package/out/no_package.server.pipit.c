/* Written by protoc-gen-pipit from no_package.proto: changes made here are lost. */

#include "no_package.pipit.h"

static bool files_open_dispatch(const void *handlers,
                                void *self,
                                struct pipit_server_call *call,
                                const ProtobufCMessage *request)
{
        const struct files *typed = handlers;

        if (!typed->open)
                return false;

        if (call)
                (*typed->open)(self, call, (const void *)request);

        return true;
}

void files_open_reply(struct pipit_server_call *call, const Path *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn files_dispatch[] = {
        files_open_dispatch,
};

_Static_assert(sizeof(((struct files *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status files_register(struct pipit_server *server,
                                 const struct files *handlers,
                                 void *self)
{
        return pipit_server_register(server,
                                     &files_descriptor,
                                     files_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
