/* Written by protoc-gen-pipit from top/v1/top.proto: changes made here are lost. */

#include "top/v1/top.pipit.h"

enum pipit_status top_v1_get(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Base__V1__Base *request,
                             const Base__V1__Base **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &top_v1_top_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void top_v1_get_start(struct pipit_channel *channel,
                      struct pipit_call *call,
                      const Base__V1__Base *request)
{
        pipit_channel_start(channel,
                            call,
                            &top_v1_top_service_descriptor.methods[0],
                            &request->base);
}

const Base__V1__Base *top_v1_get_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &top_v1_top_service_descriptor.methods[0]);
}
