/* Written by protoc-gen-pipit from features/v1/features.proto: changes made here are lost. */

#include "features/v1/features.pipit.h"

enum pipit_status features_v1_nest(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Features__V1__Everything__Inner__Innermost *request,
                                   const Google__Protobuf__Timestamp **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &features_v1_feature_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void features_v1_nest_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Features__V1__Everything__Inner__Innermost *request)
{
        pipit_channel_start(channel,
                            call,
                            &features_v1_feature_service_descriptor.methods[0],
                            &request->base);
}

const Google__Protobuf__Timestamp *features_v1_nest_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &features_v1_feature_service_descriptor.methods[0]);
}
