/* Written by protoc-gen-pipit from keywords/v1/keywords.proto: changes made here are lost. */

#include "keywords/v1/keywords.pipit.h"

static bool keywords_v1_keyword_service_delete_dispatch(const void *handlers,
                                                        void *self,
                                                        struct pipit_server_call *call,
                                                        const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->delete_)
                return false;

        if (call)
                (*typed->delete_)(self, call, (const void *)request);

        return true;
}

void keywords_v1_delete_reply(struct pipit_server_call *call,
                              const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_new_dispatch(const void *handlers,
                                                     void *self,
                                                     struct pipit_server_call *call,
                                                     const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->new_)
                return false;

        if (call)
                (*typed->new_)(self, call, (const void *)request);

        return true;
}

void keywords_v1_new_reply(struct pipit_server_call *call, const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_switch_dispatch(const void *handlers,
                                                        void *self,
                                                        struct pipit_server_call *call,
                                                        const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->switch_)
                return false;

        if (call)
                (*typed->switch_)(self, call, (const void *)request);

        return true;
}

void keywords_v1_switch_reply(struct pipit_server_call *call,
                              const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_class_dispatch(const void *handlers,
                                                       void *self,
                                                       struct pipit_server_call *call,
                                                       const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->class_)
                return false;

        if (call)
                (*typed->class_)(self, call, (const void *)request);

        return true;
}

void keywords_v1_class_reply(struct pipit_server_call *call,
                             const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_errno_dispatch(const void *handlers,
                                                       void *self,
                                                       struct pipit_server_call *call,
                                                       const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->errno_)
                return false;

        if (call)
                (*typed->errno_)(self, call, (const void *)request);

        return true;
}

void keywords_v1_errno_reply(struct pipit_server_call *call,
                             const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_linux_dispatch(const void *handlers,
                                                       void *self,
                                                       struct pipit_server_call *call,
                                                       const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->linux_)
                return false;

        if (call)
                (*typed->linux_)(self, call, (const void *)request);

        return true;
}

void keywords_v1_linux_reply(struct pipit_server_call *call,
                             const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_blocks_dispatch(const void *handlers,
                                                        void *self,
                                                        struct pipit_server_call *call,
                                                        const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->blocks_)
                return false;

        if (call)
                (*typed->blocks_)(self, call, (const void *)request);

        return true;
}

void keywords_v1_blocks_reply(struct pipit_server_call *call,
                              const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_atomic_load_dispatch(const void *handlers,
                                                             void *self,
                                                             struct pipit_server_call *call,
                                                             const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->atomic_load)
                return false;

        if (call)
                (*typed->atomic_load)(self, call, (const void *)request);

        return true;
}

void keywords_v1_atomic_load_reply(struct pipit_server_call *call,
                                   const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_self_dispatch(const void *handlers,
                                                      void *self,
                                                      struct pipit_server_call *call,
                                                      const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->self)
                return false;

        if (call)
                (*typed->self)(self, call, (const void *)request);

        return true;
}

void keywords_v1_self_reply(struct pipit_server_call *call, const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_request_dispatch(const void *handlers,
                                                         void *self,
                                                         struct pipit_server_call *call,
                                                         const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->request)
                return false;

        if (call)
                (*typed->request)(self, call, (const void *)request);

        return true;
}

void keywords_v1_request_reply(struct pipit_server_call *call,
                               const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_get_http_info_dispatch(const void *handlers,
                                                               void *self,
                                                               struct pipit_server_call *call,
                                                               const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->get_http_info)
                return false;

        if (call)
                (*typed->get_http_info)(self, call, (const void *)request);

        return true;
}

void keywords_v1_get_http_info_reply(struct pipit_server_call *call,
                                     const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_list_ids_dispatch(const void *handlers,
                                                          void *self,
                                                          struct pipit_server_call *call,
                                                          const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->list_ids)
                return false;

        if (call)
                (*typed->list_ids)(self, call, (const void *)request);

        return true;
}

void keywords_v1_list_ids_reply(struct pipit_server_call *call,
                                const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool keywords_v1_keyword_service_already_snake_dispatch(const void *handlers,
                                                               void *self,
                                                               struct pipit_server_call *call,
                                                               const ProtobufCMessage *request)
{
        const struct keywords_v1_keyword_service *typed = handlers;

        if (!typed->already_snake)
                return false;

        if (call)
                (*typed->already_snake)(self, call, (const void *)request);

        return true;
}

void keywords_v1_already_snake_reply(struct pipit_server_call *call,
                                     const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn keywords_v1_keyword_service_dispatch[] = {
        keywords_v1_keyword_service_delete_dispatch,
        keywords_v1_keyword_service_new_dispatch,
        keywords_v1_keyword_service_switch_dispatch,
        keywords_v1_keyword_service_class_dispatch,
        keywords_v1_keyword_service_errno_dispatch,
        keywords_v1_keyword_service_linux_dispatch,
        keywords_v1_keyword_service_blocks_dispatch,
        keywords_v1_keyword_service_atomic_load_dispatch,
        keywords_v1_keyword_service_self_dispatch,
        keywords_v1_keyword_service_request_dispatch,
        keywords_v1_keyword_service_get_http_info_dispatch,
        keywords_v1_keyword_service_list_ids_dispatch,
        keywords_v1_keyword_service_already_snake_dispatch,
};

_Static_assert(sizeof(((struct keywords_v1_keyword_service *)0)->blocks) == 13 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status keywords_v1_keyword_service_register(
                struct pipit_server *server,
                const struct keywords_v1_keyword_service *handlers,
                void *self)
{
        return pipit_server_register(server,
                                     &keywords_v1_keyword_service_descriptor,
                                     keywords_v1_keyword_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}

static bool keywords_v1_echo_echo_dispatch(const void *handlers,
                                           void *self,
                                           struct pipit_server_call *call,
                                           const ProtobufCMessage *request)
{
        const struct keywords_v1_echo *typed = handlers;

        if (!typed->echo)
                return false;

        if (call)
                (*typed->echo)(self, call, (const void *)request);

        return true;
}

void keywords_v1_echo_reply(struct pipit_server_call *call, const Keywords__V1__Nothing *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn keywords_v1_echo_dispatch[] = {
        keywords_v1_echo_echo_dispatch,
};

_Static_assert(sizeof(((struct keywords_v1_echo *)0)->blocks) == 1 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status keywords_v1_echo_register(struct pipit_server *server,
                                            const struct keywords_v1_echo *handlers,
                                            void *self)
{
        return pipit_server_register(server,
                                     &keywords_v1_echo_descriptor,
                                     keywords_v1_echo_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
