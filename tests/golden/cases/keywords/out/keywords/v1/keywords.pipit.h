/* Written by protoc-gen-pipit from keywords/v1/keywords.proto: changes made here are lost. */

#ifndef KEYWORDS_V1_KEYWORDS_PIPIT_H
#define KEYWORDS_V1_KEYWORDS_PIPIT_H

#include <pipit/client.h>
#include <pipit/server.h>
#include <stdbool.h>

#include "keywords/v1/keywords.pb-c.h"

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file keywords_v1_keywords_proto;

/* --- keywords.v1.KeywordService --- */

extern const struct pipit_service keywords_v1_keyword_service_descriptor;

/* --- keywords.v1.KeywordService: server --- */

/*
 * Handlers of keywords.v1.KeywordService; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct keywords_v1_keyword_service {
        void (*delete_)(void *self,
                        struct pipit_server_call *call,
                        const Keywords__V1__Nothing *request);

        void (*new_)(void *self,
                     struct pipit_server_call *call,
                     const Keywords__V1__Nothing *request);

        void (*switch_)(void *self,
                        struct pipit_server_call *call,
                        const Keywords__V1__Nothing *request);

        void (*class_)(void *self,
                       struct pipit_server_call *call,
                       const Keywords__V1__Nothing *request);

        void (*errno_)(void *self,
                       struct pipit_server_call *call,
                       const Keywords__V1__Nothing *request);

        void (*linux_)(void *self,
                       struct pipit_server_call *call,
                       const Keywords__V1__Nothing *request);

        void (*blocks_)(void *self,
                        struct pipit_server_call *call,
                        const Keywords__V1__Nothing *request);

        void (*atomic_load)(void *self,
                            struct pipit_server_call *call,
                            const Keywords__V1__Nothing *request);

        void (*self)(void *self,
                     struct pipit_server_call *call,
                     const Keywords__V1__Nothing *request);

        void (*request)(void *self,
                        struct pipit_server_call *call,
                        const Keywords__V1__Nothing *request);

        void (*get_http_info)(void *self,
                              struct pipit_server_call *call,
                              const Keywords__V1__Nothing *request);

        void (*list_ids)(void *self,
                         struct pipit_server_call *call,
                         const Keywords__V1__Nothing *request);

        void (*already_snake)(void *self,
                              struct pipit_server_call *call,
                              const Keywords__V1__Nothing *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool delete_;
                bool new_;
                bool switch_;
                bool class_;
                bool errno_;
                bool linux_;
                bool blocks_;
                bool atomic_load;
                bool self;
                bool request;
                bool get_http_info;
                bool list_ids;
                bool already_snake;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status keywords_v1_keyword_service_register(
                struct pipit_server *server,
                const struct keywords_v1_keyword_service *handlers,
                void *self);

void keywords_v1_delete_reply(struct pipit_server_call *call,
                              const Keywords__V1__Nothing *response);

void keywords_v1_new_reply(struct pipit_server_call *call, const Keywords__V1__Nothing *response);

void keywords_v1_switch_reply(struct pipit_server_call *call,
                              const Keywords__V1__Nothing *response);

void keywords_v1_class_reply(struct pipit_server_call *call,
                             const Keywords__V1__Nothing *response);

void keywords_v1_errno_reply(struct pipit_server_call *call,
                             const Keywords__V1__Nothing *response);

void keywords_v1_linux_reply(struct pipit_server_call *call,
                             const Keywords__V1__Nothing *response);

void keywords_v1_blocks_reply(struct pipit_server_call *call,
                              const Keywords__V1__Nothing *response);

void keywords_v1_atomic_load_reply(struct pipit_server_call *call,
                                   const Keywords__V1__Nothing *response);

void keywords_v1_self_reply(struct pipit_server_call *call,
                            const Keywords__V1__Nothing *response);

void keywords_v1_request_reply(struct pipit_server_call *call,
                               const Keywords__V1__Nothing *response);

void keywords_v1_get_http_info_reply(struct pipit_server_call *call,
                                     const Keywords__V1__Nothing *response);

void keywords_v1_list_ids_reply(struct pipit_server_call *call,
                                const Keywords__V1__Nothing *response);

void keywords_v1_already_snake_reply(struct pipit_server_call *call,
                                     const Keywords__V1__Nothing *response);

/* --- keywords.v1.KeywordService: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_delete(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request,
                                     const Keywords__V1__Nothing **ret_response);
void keywords_v1_delete_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_delete_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_new(struct pipit_channel *channel,
                                  struct pipit_call *call,
                                  const Keywords__V1__Nothing *request,
                                  const Keywords__V1__Nothing **ret_response);
void keywords_v1_new_start(struct pipit_channel *channel,
                           struct pipit_call *call,
                           const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_new_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_switch(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request,
                                     const Keywords__V1__Nothing **ret_response);
void keywords_v1_switch_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_switch_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_class(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Keywords__V1__Nothing *request,
                                    const Keywords__V1__Nothing **ret_response);
void keywords_v1_class_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_class_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_errno(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Keywords__V1__Nothing *request,
                                    const Keywords__V1__Nothing **ret_response);
void keywords_v1_errno_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_errno_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_linux(struct pipit_channel *channel,
                                    struct pipit_call *call,
                                    const Keywords__V1__Nothing *request,
                                    const Keywords__V1__Nothing **ret_response);
void keywords_v1_linux_start(struct pipit_channel *channel,
                             struct pipit_call *call,
                             const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_linux_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_blocks(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request,
                                     const Keywords__V1__Nothing **ret_response);
void keywords_v1_blocks_start(struct pipit_channel *channel,
                              struct pipit_call *call,
                              const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_blocks_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_atomic_load(struct pipit_channel *channel,
                                          struct pipit_call *call,
                                          const Keywords__V1__Nothing *request,
                                          const Keywords__V1__Nothing **ret_response);
void keywords_v1_atomic_load_start(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_atomic_load_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_self(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Keywords__V1__Nothing *request,
                                   const Keywords__V1__Nothing **ret_response);
void keywords_v1_self_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_self_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_request(struct pipit_channel *channel,
                                      struct pipit_call *call,
                                      const Keywords__V1__Nothing *request,
                                      const Keywords__V1__Nothing **ret_response);
void keywords_v1_request_start(struct pipit_channel *channel,
                               struct pipit_call *call,
                               const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_request_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_get_http_info(struct pipit_channel *channel,
                                            struct pipit_call *call,
                                            const Keywords__V1__Nothing *request,
                                            const Keywords__V1__Nothing **ret_response);
void keywords_v1_get_http_info_start(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_get_http_info_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_list_ids(struct pipit_channel *channel,
                                       struct pipit_call *call,
                                       const Keywords__V1__Nothing *request,
                                       const Keywords__V1__Nothing **ret_response);
void keywords_v1_list_ids_start(struct pipit_channel *channel,
                                struct pipit_call *call,
                                const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_list_ids_response(const struct pipit_call *call);

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_already_snake(struct pipit_channel *channel,
                                            struct pipit_call *call,
                                            const Keywords__V1__Nothing *request,
                                            const Keywords__V1__Nothing **ret_response);
void keywords_v1_already_snake_start(struct pipit_channel *channel,
                                     struct pipit_call *call,
                                     const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_already_snake_response(const struct pipit_call *call);

/* --- keywords.v1.Echo --- */

/* The service has the name of its method. */
extern const struct pipit_service keywords_v1_echo_descriptor;

/* --- keywords.v1.Echo: server --- */

/*
 * Handlers of keywords.v1.Echo; @self is what was registered with them. Each
 * answers its call exactly once, now or later and from any thread, with the
 * reply function of its method or with pipit_server_call_fail(). @request is
 * borrowed until then. A handler that is NULL answers UNIMPLEMENTED.
 */
struct keywords_v1_echo {
        void (*echo)(void *self,
                     struct pipit_server_call *call,
                     const Keywords__V1__Nothing *request);

        /* Those that block, and so run on the worker pool. */
        struct {
                bool echo;
        } blocks;
};

/*
 * Before the server starts; @handlers is borrowed until it is freed.
 * ALREADY_EXISTS: the service is registered. FAILED_PRECONDITION: too late.
 */
PIPIT_MUST_CHECK
enum pipit_status keywords_v1_echo_register(struct pipit_server *server,
                                            const struct keywords_v1_echo *handlers,
                                            void *self);

void keywords_v1_echo_reply(struct pipit_server_call *call,
                            const Keywords__V1__Nothing *response);

/* --- keywords.v1.Echo: client --- */

/*
 * Of each method there are three functions. The first blocks until the reply or
 * the call's timeout; *ret_response (may be NULL) then lives in @call until its
 * reset, and is untouched on failure, of which pipit_call_error() tells all.
 *
 * _start() returns at once, and call->done() runs exactly once, on any thread.
 * _response() is the response of a finished call, or NULL: it failed, or was of
 * another method.
 */

PIPIT_MUST_CHECK
enum pipit_status keywords_v1_echo(struct pipit_channel *channel,
                                   struct pipit_call *call,
                                   const Keywords__V1__Nothing *request,
                                   const Keywords__V1__Nothing **ret_response);
void keywords_v1_echo_start(struct pipit_channel *channel,
                            struct pipit_call *call,
                            const Keywords__V1__Nothing *request);
const Keywords__V1__Nothing *keywords_v1_echo_response(const struct pipit_call *call);

PIPIT_END_DECLS

#endif
