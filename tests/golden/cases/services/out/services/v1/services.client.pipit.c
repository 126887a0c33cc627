/* Written by protoc-gen-pipit from services/v1/services.proto: changes made here are lost. */

#include "services/v1/services.pipit.h"

enum pipit_status services_v1_get_thing(struct pipit_channel *channel,
                                        struct pipit_call *call,
                                        const Services__V1__Thing *request,
                                        const Services__V1__Thing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &services_v1_thing_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void services_v1_get_thing_start(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Services__V1__Thing *request)
{
        pipit_channel_start(channel,
                            call,
                            &services_v1_thing_service_descriptor.methods[0],
                            &request->base);
}

const Services__V1__Thing *services_v1_get_thing_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &services_v1_thing_service_descriptor.methods[0]);
}

enum pipit_status services_v1_put_thing(struct pipit_channel *channel,
                                        struct pipit_call *call,
                                        const Services__V1__Thing *request,
                                        const Services__V1__Thing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &services_v1_thing_service_descriptor.methods[1],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void services_v1_put_thing_start(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Services__V1__Thing *request)
{
        pipit_channel_start(channel,
                            call,
                            &services_v1_thing_service_descriptor.methods[1],
                            &request->base);
}

const Services__V1__Thing *services_v1_put_thing_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &services_v1_thing_service_descriptor.methods[1]);
}

enum pipit_status services_v1_drop_thing(struct pipit_channel *channel,
                                         struct pipit_call *call,
                                         const Services__V1__Thing *request,
                                         const Services__V1__Thing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &services_v1_thing_service_descriptor.methods[2],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void services_v1_drop_thing_start(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Services__V1__Thing *request)
{
        pipit_channel_start(channel,
                            call,
                            &services_v1_thing_service_descriptor.methods[2],
                            &request->base);
}

const Services__V1__Thing *services_v1_drop_thing_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &services_v1_thing_service_descriptor.methods[2]);
}

enum pipit_status services_v1_silent(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Services__V1__Thing *request,
                                     const Services__V1__Thing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &services_v1_thing_service_descriptor.methods[3],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void services_v1_silent_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Services__V1__Thing *request)
{
        pipit_channel_start(channel,
                            call,
                            &services_v1_thing_service_descriptor.methods[3],
                            &request->base);
}

const Services__V1__Thing *services_v1_silent_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &services_v1_thing_service_descriptor.methods[3]);
}

enum pipit_status services_v1_rest(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Services__V1__Thing *request,
                                   const Services__V1__Thing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &services_v1_old_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void services_v1_rest_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Services__V1__Thing *request)
{
        pipit_channel_start(channel,
                            call,
                            &services_v1_old_service_descriptor.methods[0],
                            &request->base);
}

const Services__V1__Thing *services_v1_rest_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &services_v1_old_service_descriptor.methods[0]);
}
