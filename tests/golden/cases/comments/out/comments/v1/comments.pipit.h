/* Written by protoc-gen-pipit from comments/v1/comments.proto: changes made here are lost. */

/* Copyright nobody: the first comment of a file is by itself. */

/* Its second is too. * / and / * are in it. */

/*
 * This one is the file's.
 *
 * Behind the syntax.
 */

#ifndef COMMENTS_V1_COMMENTS_PIPIT_H
#define COMMENTS_V1_COMMENTS_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "comments/v1/comments.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file comments_v1_comments_proto;

/* --- comments.v1.CommentService --- */

/* By itself, before a service. */

/*
 * By itself, too.
 * Of two lines.
 */

/*
 * Before the service.
 *
 * Behind its brace.
 */
extern const struct pipit_service comments_v1_comment_service_descriptor;

/* --- comments.v1.CommentService: server --- */

/*
 * Handlers of comments.v1.CommentService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct comments_v1_comment_service {
        /*
         * Before the method.
         *
         * Behind it.
         */
        void (*say)(void *self,
                    struct pipit_server_call *call,
                    const Comments__V1__Said *request);

        /* Only behind. It ends with a backslash \ */
        void (*hear)(void *self,
                     struct pipit_server_call *call,
                     const Comments__V1__Said *request);

        /*
         * A trigraph at the end of a line ? ?/
         * and one ? ?/ inside; "quotes", 'single', %s, $dollar$, ünïcödé, a tab	here.
         */
        void (*ask)(void *self,
                    struct pipit_server_call *call,
                    const Comments__V1__Said *request);

        /*
         * Two of
         *
         *
         * them.
         *
         * Inside its braces.
         */
        void (*answer)(void *self,
                       struct pipit_server_call *call,
                       const Comments__V1__Said *request);

        void (*silent)(void *self,
                       struct pipit_server_call *call,
                       const Comments__V1__Said *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool say;
                bool hear;
                bool ask;
                bool answer;
                bool silent;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status comments_v1_comment_service_register(
                struct pipit_server *server,
                const struct comments_v1_comment_service *handlers,
                void *self);

void comments_v1_say_reply(struct pipit_server_call *call, const Comments__V1__Said *response);

void comments_v1_hear_reply(struct pipit_server_call *call, const Comments__V1__Said *response);

void comments_v1_ask_reply(struct pipit_server_call *call, const Comments__V1__Said *response);

void comments_v1_answer_reply(struct pipit_server_call *call, const Comments__V1__Said *response);

void comments_v1_silent_reply(struct pipit_server_call *call, const Comments__V1__Said *response);

/* --- comments.v1.CommentService: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

/* By itself, before a method. */

/*
 * Before the method.
 *
 * Behind it.
 */
PIPIT_MUST_CHECK
enum pipit_status comments_v1_say(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Comments__V1__Said *request,
                                  const Comments__V1__Said **ret_response);
void comments_v1_say_start(struct pipit_channel *channel,
                           struct pipit_call *call,
                           const Comments__V1__Said *request);
const Comments__V1__Said *comments_v1_say_response(const struct pipit_call *call);

/* Only behind. It ends with a backslash \ */
PIPIT_MUST_CHECK
enum pipit_status comments_v1_hear(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Comments__V1__Said *request,
                                   const Comments__V1__Said **ret_response);
void comments_v1_hear_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Comments__V1__Said *request);
const Comments__V1__Said *comments_v1_hear_response(const struct pipit_call *call);

/*
 * A trigraph at the end of a line ? ?/
 * and one ? ?/ inside; "quotes", 'single', %s, $dollar$, ünïcödé, a tab	here.
 */
PIPIT_MUST_CHECK
enum pipit_status comments_v1_ask(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Comments__V1__Said *request,
                                  const Comments__V1__Said **ret_response);
void comments_v1_ask_start(struct pipit_channel *channel,
                           struct pipit_call *call,
                           const Comments__V1__Said *request);
const Comments__V1__Said *comments_v1_ask_response(const struct pipit_call *call);

/*
 * Two of
 *
 *
 * them.
 *
 * Inside its braces.
 */
PIPIT_MUST_CHECK
enum pipit_status comments_v1_answer(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Comments__V1__Said *request,
                                     const Comments__V1__Said **ret_response);
void comments_v1_answer_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Comments__V1__Said *request);
const Comments__V1__Said *comments_v1_answer_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status comments_v1_silent(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Comments__V1__Said *request,
                                     const Comments__V1__Said **ret_response);
void comments_v1_silent_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Comments__V1__Said *request);
const Comments__V1__Said *comments_v1_silent_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
