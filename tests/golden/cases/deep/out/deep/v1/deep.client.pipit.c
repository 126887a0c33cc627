/* Written by protoc-gen-pipit from deep/v1/deep.proto: changes made here are lost. */

#include "deep/v1/deep.pipit.h"

enum pipit_status deep_v1_dive(
                struct pipit_channel *channel,
                struct pipit_call *call,
                const Deep__V1__L0__L1__L2__L3__L4__L5__L6__L7__L8__L9__L10__L11 *request,
                const Deep__V1__L0 **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &deep_v1_deep_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void deep_v1_dive_start(struct pipit_channel *channel,
                        struct pipit_call *call,
                        const Deep__V1__L0__L1__L2__L3__L4__L5__L6__L7__L8__L9__L10__L11 *request)
{
        pipit_channel_start(channel,
                            call,
                            &deep_v1_deep_service_descriptor.methods[0],
                            &request->base);
}

const Deep__V1__L0 *deep_v1_dive_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &deep_v1_deep_service_descriptor.methods[0]);
}
