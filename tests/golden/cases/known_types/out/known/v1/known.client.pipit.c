/* Written by protoc-gen-pipit from known/v1/known.proto: changes made here are lost. */

#include "known/v1/known.pipit.h"

enum pipit_status known_v1_empty(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Google__Protobuf__Empty *request,
                                 const Google__Protobuf__Struct **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &known_v1_known_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void known_v1_empty_start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Google__Protobuf__Empty *request)
{
        pipit_channel_start(channel,
                            call,
                            &known_v1_known_service_descriptor.methods[0],
                            &request->base);
}

const Google__Protobuf__Struct *known_v1_empty_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &known_v1_known_service_descriptor.methods[0]);
}

enum pipit_status known_v1_any(struct pipit_channel *channel,
                               struct pipit_call *call,
                               const Google__Protobuf__Any *request,
                               const Google__Protobuf__StringValue **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &known_v1_known_service_descriptor.methods[1],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void known_v1_any_start(struct pipit_channel *channel,
                        struct pipit_call *call,
                        const Google__Protobuf__Any *request)
{
        pipit_channel_start(channel,
                            call,
                            &known_v1_known_service_descriptor.methods[1],
                            &request->base);
}

const Google__Protobuf__StringValue *known_v1_any_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &known_v1_known_service_descriptor.methods[1]);
}
