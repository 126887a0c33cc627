/* Written by protoc-gen-pipit from shop/v1/cart.proto: changes made here are lost. */

#include "shop/v1/cart.pipit.h"

enum pipit_status shop_v1_get_cart(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Shop__V1__Item *request,
                                   const Shop__V1__Cart **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &shop_v1_cart_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void shop_v1_get_cart_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Shop__V1__Item *request)
{
        pipit_channel_start(channel,
                            call,
                            &shop_v1_cart_service_descriptor.methods[0],
                            &request->base);
}

const Shop__V1__Cart *shop_v1_get_cart_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &shop_v1_cart_service_descriptor.methods[0]);
}

enum pipit_status shop_v1_pay(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Shop__V1__Cart *request,
                              const Stock__V2__Warehouse **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &shop_v1_checkout_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void shop_v1_pay_start(struct pipit_channel *channel,
                       struct pipit_call *call,
                       const Shop__V1__Cart *request)
{
        pipit_channel_start(channel,
                            call,
                            &shop_v1_checkout_service_descriptor.methods[0],
                            &request->base);
}

const Stock__V2__Warehouse *shop_v1_pay_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &shop_v1_checkout_service_descriptor.methods[0]);
}
