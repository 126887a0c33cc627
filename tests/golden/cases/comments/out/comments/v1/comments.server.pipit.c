/* Written by protoc-gen-pipit from comments/v1/comments.proto: changes made here are lost. */

#include "comments/v1/comments.pipit.h"

static bool comments_v1_comment_service_say_dispatch(const void *handlers,
                                                     void *self,
                                                     struct pipit_server_call *call,
                                                     const ProtobufCMessage *request)
{
        const struct comments_v1_comment_service *typed = handlers;

        if (!typed->say)
                return false;

        if (call)
                (*typed->say)(self, call, (const void *)request);

        return true;
}

void comments_v1_say_reply(struct pipit_server_call *call, const Comments__V1__Said *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool comments_v1_comment_service_hear_dispatch(const void *handlers,
                                                      void *self,
                                                      struct pipit_server_call *call,
                                                      const ProtobufCMessage *request)
{
        const struct comments_v1_comment_service *typed = handlers;

        if (!typed->hear)
                return false;

        if (call)
                (*typed->hear)(self, call, (const void *)request);

        return true;
}

void comments_v1_hear_reply(struct pipit_server_call *call, const Comments__V1__Said *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool comments_v1_comment_service_ask_dispatch(const void *handlers,
                                                     void *self,
                                                     struct pipit_server_call *call,
                                                     const ProtobufCMessage *request)
{
        const struct comments_v1_comment_service *typed = handlers;

        if (!typed->ask)
                return false;

        if (call)
                (*typed->ask)(self, call, (const void *)request);

        return true;
}

void comments_v1_ask_reply(struct pipit_server_call *call, const Comments__V1__Said *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool comments_v1_comment_service_answer_dispatch(const void *handlers,
                                                        void *self,
                                                        struct pipit_server_call *call,
                                                        const ProtobufCMessage *request)
{
        const struct comments_v1_comment_service *typed = handlers;

        if (!typed->answer)
                return false;

        if (call)
                (*typed->answer)(self, call, (const void *)request);

        return true;
}

void comments_v1_answer_reply(struct pipit_server_call *call, const Comments__V1__Said *response)
{
        pipit_server_call_reply(call, &response->base);
}

static bool comments_v1_comment_service_silent_dispatch(const void *handlers,
                                                        void *self,
                                                        struct pipit_server_call *call,
                                                        const ProtobufCMessage *request)
{
        const struct comments_v1_comment_service *typed = handlers;

        if (!typed->silent)
                return false;

        if (call)
                (*typed->silent)(self, call, (const void *)request);

        return true;
}

void comments_v1_silent_reply(struct pipit_server_call *call, const Comments__V1__Said *response)
{
        pipit_server_call_reply(call, &response->base);
}

static const pipit_server_dispatch_fn comments_v1_comment_service_dispatch[] = {
        comments_v1_comment_service_say_dispatch,
        comments_v1_comment_service_hear_dispatch,
        comments_v1_comment_service_ask_dispatch,
        comments_v1_comment_service_answer_dispatch,
        comments_v1_comment_service_silent_dispatch,
};

_Static_assert(sizeof(((struct comments_v1_comment_service *)0)->blocks) == 5 * sizeof(bool),
               "one flag a method, without gaps");

enum pipit_status comments_v1_comment_service_register(
                struct pipit_server *server,
                const struct comments_v1_comment_service *handlers,
                void *self)
{
        return pipit_server_register(server,
                                     &comments_v1_comment_service_descriptor,
                                     comments_v1_comment_service_dispatch,
                                     (const void *)&handlers->blocks,
                                     handlers,
                                     self);
}
