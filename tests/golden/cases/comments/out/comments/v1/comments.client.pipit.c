/* Written by protoc-gen-pipit from comments/v1/comments.proto: changes made here are lost. */

#include "comments/v1/comments.pipit.h"

enum pipit_status comments_v1_say(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Comments__V1__Said *request,
                                  const Comments__V1__Said **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &comments_v1_comment_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void comments_v1_say_start(struct pipit_channel *channel,
                           struct pipit_call *call,
                           const Comments__V1__Said *request)
{
        pipit_channel_start(channel,
                            call,
                            &comments_v1_comment_service_descriptor.methods[0],
                            &request->base);
}

const Comments__V1__Said *comments_v1_say_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &comments_v1_comment_service_descriptor.methods[0]);
}

enum pipit_status comments_v1_hear(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Comments__V1__Said *request,
                                   const Comments__V1__Said **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &comments_v1_comment_service_descriptor.methods[1],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void comments_v1_hear_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Comments__V1__Said *request)
{
        pipit_channel_start(channel,
                            call,
                            &comments_v1_comment_service_descriptor.methods[1],
                            &request->base);
}

const Comments__V1__Said *comments_v1_hear_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &comments_v1_comment_service_descriptor.methods[1]);
}

enum pipit_status comments_v1_ask(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Comments__V1__Said *request,
                                  const Comments__V1__Said **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &comments_v1_comment_service_descriptor.methods[2],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void comments_v1_ask_start(struct pipit_channel *channel,
                           struct pipit_call *call,
                           const Comments__V1__Said *request)
{
        pipit_channel_start(channel,
                            call,
                            &comments_v1_comment_service_descriptor.methods[2],
                            &request->base);
}

const Comments__V1__Said *comments_v1_ask_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &comments_v1_comment_service_descriptor.methods[2]);
}

enum pipit_status comments_v1_answer(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Comments__V1__Said *request,
                                     const Comments__V1__Said **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &comments_v1_comment_service_descriptor.methods[3],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void comments_v1_answer_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Comments__V1__Said *request)
{
        pipit_channel_start(channel,
                            call,
                            &comments_v1_comment_service_descriptor.methods[3],
                            &request->base);
}

const Comments__V1__Said *comments_v1_answer_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &comments_v1_comment_service_descriptor.methods[3]);
}

enum pipit_status comments_v1_silent(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Comments__V1__Said *request,
                                     const Comments__V1__Said **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &comments_v1_comment_service_descriptor.methods[4],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void comments_v1_silent_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Comments__V1__Said *request)
{
        pipit_channel_start(channel,
                            call,
                            &comments_v1_comment_service_descriptor.methods[4],
                            &request->base);
}

const Comments__V1__Said *comments_v1_silent_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &comments_v1_comment_service_descriptor.methods[4]);
}
