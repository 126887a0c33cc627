/* Written by protoc-gen-pipit from static/assert.proto: changes made here are lost. */

#include "static/assert.pipit.h"

enum pipit_status static_assert_(struct pipit_channel *channel,
                                 struct pipit_call *call,
                                 const Static__Nothing *request,
                                 const Static__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &static_assert__descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void static_assert__start(struct pipit_channel *channel,
                          struct pipit_call *call,
                          const Static__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &static_assert__descriptor.methods[0],
                            &request->base);
}

const Static__Nothing *static_assert__response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &static_assert__descriptor.methods[0]);
}
