/* Written by protoc-gen-pipit from static/v1/words.proto: changes made here are lost. */

#include "static/v1/words.pipit.h"

enum pipit_status static_v1_typedef(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Static__V1__Struct *request,
                                    const Static__V1__Void **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &static_v1_register_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void static_v1_typedef_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Static__V1__Struct *request)
{
        pipit_channel_start(channel,
                            call,
                            &static_v1_register_descriptor.methods[0],
                            &request->base);
}

const Static__V1__Void *static_v1_typedef_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &static_v1_register_descriptor.methods[0]);
}

enum pipit_status static_v1_restrict(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Static__V1__Void *request,
                                     const Static__V1__Struct **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &static_v1_register_descriptor.methods[1],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void static_v1_restrict_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Static__V1__Void *request)
{
        pipit_channel_start(channel,
                            call,
                            &static_v1_register_descriptor.methods[1],
                            &request->base);
}

const Static__V1__Struct *static_v1_restrict_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &static_v1_register_descriptor.methods[1]);
}
