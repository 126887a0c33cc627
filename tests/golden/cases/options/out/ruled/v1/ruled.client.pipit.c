/* Written by protoc-gen-pipit from ruled/v1/ruled.proto: changes made here are lost. */

#include "ruled/v1/ruled.pipit.h"

enum pipit_status ruled_v1_rule(struct pipit_channel *channel,
                                struct pipit_call *call,
                                const Ruled__V1__Ruled *request,
                                const Google__Protobuf__Empty **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &ruled_v1_ruled_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void ruled_v1_rule_start(struct pipit_channel *channel,
                         struct pipit_call *call,
                         const Ruled__V1__Ruled *request)
{
        pipit_channel_start(channel,
                            call,
                            &ruled_v1_ruled_service_descriptor.methods[0],
                            &request->base);
}

const Google__Protobuf__Empty *ruled_v1_rule_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &ruled_v1_ruled_service_descriptor.methods[0]);
}
