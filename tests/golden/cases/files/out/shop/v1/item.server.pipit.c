/* Written by protoc-gen-pipit from shop/v1/item.proto: changes made here are lost. */

#include "shop/v1/item.pipit.h"

static bool shop_v1_item_service_get_item_dispatch(const void *handlers,
                                                   void *self,
                                                   struct pipit_server_call *call,
                                                   const ProtobufCMessage *request)
{
        const struct shop_v1_item_service *typed = handlers;

        if (!typed->get_item)
                return false;

        if (call)
                (*typed->get_item)(self, call, (const void *)request);

        return true;
}

void shop_v1_get_item_reply(struct pipit_server_call *call, const Shop__V1__Item *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn shop_v1_item_service_dispatch[] = {
        shop_v1_item_service_get_item_dispatch,
};

_Static_assert(sizeof(((struct shop_v1_item_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status shop_v1_item_service_register(struct pipit_server *server,
                                                const struct shop_v1_item_service *handlers,
                                                void *self)
{
        return pipit_server_register(server,
                                     &shop_v1_item_service_descriptor,
                                     shop_v1_item_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
