/* Written by protoc-gen-pipit from shapes/v1/shapes.proto: changes made here are lost. */

#include "shapes/v1/shapes.pipit.h"

enum pipit_status shapes_v1_grow(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Shapes__V1__Tree *request,
                                 const Shapes__V1__Tree **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &shapes_v1_shape_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void shapes_v1_grow_start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Shapes__V1__Tree *request)
{
        pipit_channel_start(channel,
                            call,
                            &shapes_v1_shape_service_descriptor.methods[0],
                            &request->base);
}

const Shapes__V1__Tree *shapes_v1_grow_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &shapes_v1_shape_service_descriptor.methods[0]);
}

enum pipit_status shapes_v1_look(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Shapes__V1__Maps__Inner *request,
                                 const Shapes__V1__Empty **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &shapes_v1_shape_service_descriptor.methods[1],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void shapes_v1_look_start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Shapes__V1__Maps__Inner *request)
{
        pipit_channel_start(channel,
                            call,
                            &shapes_v1_shape_service_descriptor.methods[1],
                            &request->base);
}

const Shapes__V1__Empty *shapes_v1_look_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &shapes_v1_shape_service_descriptor.methods[1]);
}
