/* Written by protoc-gen-pipit from deprecated/v1/deprecated.proto: changes made here are lost. */

#include "deprecated/v1/deprecated.pipit.h"

enum pipit_status deprecated_v1_stay(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Deprecated__V1__Old *request,
                                     const Deprecated__V1__Old **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &deprecated_v1_mixed_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void deprecated_v1_stay_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Deprecated__V1__Old *request)
{
        pipit_channel_start(channel,
                            call,
                            &deprecated_v1_mixed_service_descriptor.methods[0],
                            &request->base);
}

const Deprecated__V1__Old *deprecated_v1_stay_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &deprecated_v1_mixed_service_descriptor.methods[0]);
}

enum pipit_status deprecated_v1_go(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Deprecated__V1__Old *request,
                                   const Deprecated__V1__Old **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &deprecated_v1_mixed_service_descriptor.methods[1],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void deprecated_v1_go_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Deprecated__V1__Old *request)
{
        pipit_channel_start(channel,
                            call,
                            &deprecated_v1_mixed_service_descriptor.methods[1],
                            &request->base);
}

const Deprecated__V1__Old *deprecated_v1_go_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &deprecated_v1_mixed_service_descriptor.methods[1]);
}

enum pipit_status deprecated_v1_rest(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Deprecated__V1__Old *request,
                                     const Deprecated__V1__Old **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &deprecated_v1_old_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void deprecated_v1_rest_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Deprecated__V1__Old *request)
{
        pipit_channel_start(channel,
                            call,
                            &deprecated_v1_old_service_descriptor.methods[0],
                            &request->base);
}

const Deprecated__V1__Old *deprecated_v1_rest_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &deprecated_v1_old_service_descriptor.methods[0]);
}
