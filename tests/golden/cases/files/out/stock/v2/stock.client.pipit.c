/* Written by protoc-gen-pipit from stock/v2/stock.proto: changes made here are lost. */

#include "stock/v2/stock.pipit.h"

enum pipit_status stock_v2_get_item(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Shop__V1__Item *request,
                                    const Stock__V2__Item **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &stock_v2_stock_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void stock_v2_get_item_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Shop__V1__Item *request)
{
        pipit_channel_start(channel,
                            call,
                            &stock_v2_stock_service_descriptor.methods[0],
                            &request->base);
}

const Stock__V2__Item *stock_v2_get_item_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &stock_v2_stock_service_descriptor.methods[0]);
}
