/* Written by protoc-gen-pipit from shop/v1/cart.proto: changes made here are lost. */

#include "shop/v1/cart.pipit.h"

static bool shop_v1_cart_service_get_cart_dispatch(const void *handlers,
                                                   void *self,
                                                   struct pipit_server_call *call,
                                                   const ProtobufCMessage *request)
{
        const struct shop_v1_cart_service *typed = handlers;

        if (!typed->get_cart)
                return false;

        if (call)
                (*typed->get_cart)(self, call, (const void *)request);

        return true;
}

void shop_v1_get_cart_reply(struct pipit_server_call *call, const Shop__V1__Cart *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn shop_v1_cart_service_dispatch[] = {
        shop_v1_cart_service_get_cart_dispatch,
};

_Static_assert(sizeof(((struct shop_v1_cart_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status shop_v1_cart_service_register(struct pipit_server *server,
                                                const struct shop_v1_cart_service *handlers,
                                                void *self)
{
        return pipit_server_register(server,
                                     &shop_v1_cart_service_descriptor,
                                     shop_v1_cart_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}

static bool shop_v1_checkout_service_pay_dispatch(const void *handlers,
                                                  void *self,
                                                  struct pipit_server_call *call,
                                                  const ProtobufCMessage *request)
{
        const struct shop_v1_checkout_service *typed = handlers;

        if (!typed->pay)
                return false;

        if (call)
                (*typed->pay)(self, call, (const void *)request);

        return true;
}

void shop_v1_pay_reply(struct pipit_server_call *call, const Stock__V2__Warehouse *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn shop_v1_checkout_service_dispatch[] = {
        shop_v1_checkout_service_pay_dispatch,
};

_Static_assert(sizeof(((struct shop_v1_checkout_service *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status shop_v1_checkout_service_register(
                struct pipit_server *server,
                const struct shop_v1_checkout_service *handlers,
                void *self)
{
        return pipit_server_register(server,
                                     &shop_v1_checkout_service_descriptor,
                                     shop_v1_checkout_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
