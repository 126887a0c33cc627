/* Written by protoc-gen-pipit from long/v1/long.proto: changes made here are lost. */

#include "long/v1/long.pipit.h"

enum pipit_status long_v1_cat_service_get(struct pipit_channel *channel,
                                          struct pipit_call *call,
                                          const Long__V1__Key *request,
                                          const Long__V1__Key **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &long_v1_cat_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void long_v1_cat_service_get_start(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Long__V1__Key *request)
{
        pipit_channel_start(channel,
                            call,
                            &long_v1_cat_service_descriptor.methods[0],
                            &request->base);
}

const Long__V1__Key *long_v1_cat_service_get_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &long_v1_cat_service_descriptor.methods[0]);
}

enum pipit_status long_v1_dog_service_get(struct pipit_channel *channel,
                                          struct pipit_call *call,
                                          const Long__V1__Key *request,
                                          const Long__V1__Key **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &long_v1_dog_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void long_v1_dog_service_get_start(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Long__V1__Key *request)
{
        pipit_channel_start(channel,
                            call,
                            &long_v1_dog_service_descriptor.methods[0],
                            &request->base);
}

const Long__V1__Key *long_v1_dog_service_get_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &long_v1_dog_service_descriptor.methods[0]);
}
