/*
 * Model: a .proto file in the words of the code that is written for it
 *
 * Borrows from the request's descriptors. Everything lives in the arena.
 */

#ifndef GEN_MODEL_H
#define GEN_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "gen/index.h"
#include "gen/options.h"
#include "gen/source.h"
#include "gen/types.h"

struct model_method {
        const Google__Protobuf__MethodDescriptorProto *descriptor;
        struct source_path path;
        const char *wire_name;          /* "users.v1.UsersService/GetUser" */
        const char *function;           /* "users_v1_get_user" */
        const char *dispatch;           /* "users_v1_users_service_get_user_dispatch" */
        const char *member;             /* "get_user" */
        const char *request_type;       /* "Users__V1__GetUserRequest" */
        const char *request_descriptor; /* "users__v1__get_user_request__descriptor" */
        const char *response_type;
        const char *response_descriptor;
        struct source_comments comments;
        bool deprecated;
        bool no_side_effects;
};

struct model_service {
        const Google__Protobuf__ServiceDescriptorProto *descriptor;
        struct source_path path;
        const char *wire_name; /* "users.v1.UsersService" */
        const char *name;      /* "users_v1_users_service", also the tag of its handlers */
        const char *table;     /* "users_v1_users_service_descriptor" */
        const char *register_; /* "users_v1_users_service_register" */
        struct source_comments comments;
        bool deprecated;
        struct model_method *methods;
        size_t n_methods;
};

struct model_file {
        const Google__Protobuf__FileDescriptorProto *descriptor;
        const char *name;                /* "users/v1/users.proto" */
        const char *stem;                /* "users/v1/users" */
        const char *symbol;              /* "users_v1_users_proto", its struct pipit_file */
        const char *guard;               /* "USERS_V1_USERS_PIPIT_H" */
        struct source_comments comments; /* of the file */
        struct types types;
        struct model_service *services;
        size_t n_services;

        /* for what is embedded */
        const char *const *imports; /* names of the .proto files that are needed, in order */
        size_t n_imports;
        const unsigned char *bytes;
        size_t n_bytes;
};

/* All but the members for what is embedded. */
struct model_file model_make(struct pipit_arena *arena,
                             const Google__Protobuf__FileDescriptorProto *descriptor,
                             const struct gen_options *options);

#endif
