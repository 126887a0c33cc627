/* Written by protoc-gen-pipit from stock/v2/stock.proto: changes made here are lost. */

#include "stock/v2/stock.pipit.h"

static bool stock_v2_stock_service_get_item_dispatch(const void *handlers,
                                                     void *self,
                                                     struct pipit_server_call *call,
                                                     const ProtobufCMessage *request)
{
        const struct stock_v2_stock_service *typed = handlers;

        if (!typed->get_item)
                return false;

        if (call)
                (*typed->get_item)(self, call, (const void *)request);

        return true;
}

void stock_v2_get_item_reply(struct pipit_server_call *call, const Stock__V2__Item *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn stock_v2_stock_service_dispatch[] = {
        stock_v2_stock_service_get_item_dispatch,
};

_Static_assert(sizeof(((struct stock_v2_stock_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status stock_v2_stock_service_register(struct pipit_server *server,
                                                  const struct stock_v2_stock_service *handlers,
                                                  void *self)
{
        return pipit_server_register(server,
                                     &stock_v2_stock_service_descriptor,
                                     stock_v2_stock_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
