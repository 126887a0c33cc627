/* Written by protoc-gen-pipit from signed.proto: changes made here are lost. */

#include "signed.pipit.h"

enum pipit_status signed__sign(struct pipit_channel *channel,
                               struct pipit_call *call,
                               const Nothing *request,
                               const Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &signed__descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void signed__sign_start(struct pipit_channel *channel,
                        struct pipit_call *call,
                        const Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &signed__descriptor.methods[0],
                            &request->base);
}

const Nothing *signed__sign_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &signed__descriptor.methods[0]);
}
