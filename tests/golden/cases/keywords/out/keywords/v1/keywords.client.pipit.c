/* Written by protoc-gen-pipit from keywords/v1/keywords.proto: changes made here are lost. */

#include "keywords/v1/keywords.pipit.h"

enum pipit_status keywords_v1_delete(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request,
                                     const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_delete_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[0],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_delete_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[0]);
}

enum pipit_status keywords_v1_new(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Keywords__V1__Nothing *request,
                                  const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[1],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_new_start(struct pipit_channel *channel,
                           struct pipit_call *call,
                           const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[1],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_new_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[1]);
}

enum pipit_status keywords_v1_switch(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request,
                                     const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[2],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_switch_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[2],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_switch_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[2]);
}

enum pipit_status keywords_v1_class(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Keywords__V1__Nothing *request,
                                    const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[3],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_class_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[3],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_class_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[3]);
}

enum pipit_status keywords_v1_errno(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Keywords__V1__Nothing *request,
                                    const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[4],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_errno_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[4],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_errno_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[4]);
}

enum pipit_status keywords_v1_linux(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Keywords__V1__Nothing *request,
                                    const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[5],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_linux_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[5],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_linux_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[5]);
}

enum pipit_status keywords_v1_blocks(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request,
                                     const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[6],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_blocks_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[6],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_blocks_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[6]);
}

enum pipit_status keywords_v1_atomic_load(struct pipit_channel *channel,
                                          struct pipit_call *call,
                                          const Keywords__V1__Nothing *request,
                                          const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[7],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_atomic_load_start(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[7],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_atomic_load_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[7]);
}

enum pipit_status keywords_v1_self(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Keywords__V1__Nothing *request,
                                   const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[8],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_self_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[8],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_self_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[8]);
}

enum pipit_status keywords_v1_request(struct pipit_channel *channel,
                                      struct pipit_call *call,
                                      const Keywords__V1__Nothing *request,
                                      const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[9],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_request_start(struct pipit_channel *channel,
                               struct pipit_call *call,
                               const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[9],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_request_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[9]);
}

enum pipit_status keywords_v1_get_http_info(struct pipit_channel *channel,
                                            struct pipit_call *call,
                                            const Keywords__V1__Nothing *request,
                                            const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[10],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_get_http_info_start(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[10],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_get_http_info_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[10]);
}

enum pipit_status keywords_v1_list_ids(struct pipit_channel *channel,
                                       struct pipit_call *call,
                                       const Keywords__V1__Nothing *request,
                                       const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[11],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_list_ids_start(struct pipit_channel *channel,
                                struct pipit_call *call,
                                const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[11],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_list_ids_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[11]);
}

enum pipit_status keywords_v1_already_snake(struct pipit_channel *channel,
                                            struct pipit_call *call,
                                            const Keywords__V1__Nothing *request,
                                            const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_keyword_service_descriptor.methods[12],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_already_snake_start(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_keyword_service_descriptor.methods[12],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_already_snake_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_keyword_service_descriptor.methods[12]);
}

enum pipit_status keywords_v1_echo(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Keywords__V1__Nothing *request,
                                   const Keywords__V1__Nothing **ret_response)
{
        const ProtobufCMessage *response;
        enum pipit_status status;

        status = pipit_channel_call(channel,
                                    call,
                                    &keywords_v1_echo_descriptor.methods[0],
                                    &request->base,
                                    &response);
        if (status == PIPIT_OK && ret_response)
                *ret_response = (const void *)response;

        return status;
}

void keywords_v1_echo_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Keywords__V1__Nothing *request)
{
        pipit_channel_start(channel,
                            call,
                            &keywords_v1_echo_descriptor.methods[0],
                            &request->base);
}

const Keywords__V1__Nothing *keywords_v1_echo_response(const struct pipit_call *call)
{
        return (const void *)pipit_call_response(call, &keywords_v1_echo_descriptor.methods[0]);
}
