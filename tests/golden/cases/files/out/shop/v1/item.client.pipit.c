/* Written by protoc-gen-pipit from shop/v1/item.proto: changes made here are lost. */

#include "shop/v1/item.pipit.h"

enum pipit_status shop_v1_get_item(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Shop__V1__Item *request,
                                   const Shop__V1__Item **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &shop_v1_item_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void shop_v1_get_item_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Shop__V1__Item *request)
{
        pipit_channel_start(channel,
                            call,
                            &shop_v1_item_service_descriptor.methods[0],
                            &request->base);
}

const Shop__V1__Item *shop_v1_get_item_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &shop_v1_item_service_descriptor.methods[0]);
}
