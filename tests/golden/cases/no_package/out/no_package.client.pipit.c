/* Written by protoc-gen-pipit from no_package.proto: changes made here are lost. */

#include "no_package.pipit.h"

enum pipit_status files_open(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Path *request,
                             const Path **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &files_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void files_open_start(struct pipit_channel *channel, struct pipit_call *call, const Path *request)
{
        pipit_channel_start(channel,
                            call,
                            &files_descriptor.methods[0],
                            &request->base);
}

const Path *files_open_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &files_descriptor.methods[0]);
}
