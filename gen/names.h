/*
 * Names: from .proto to C
 *
 * What protoc-c calls things (types, descriptors, headers) and what this
 * generator does. All results live in the arena.
 */

#ifndef GEN_NAMES_H
#define GEN_NAMES_H

#include "core/base/arena.h"

/*
 * "GetHTTPInfo" -> "get_http_info", "ListIDs" -> "list_ids", "GetUserV2" ->
 * "get_user_v2". A run of capitals is one word, but for its last letter when a
 * small one follows; a capital after a digit starts a word.
 */
char *names_snake(struct pipit_arena *arena, const char *name);

/* "users.v1" -> "users_v1": names_snake() of each part. */
char *names_package(struct pipit_arena *arena, const char *package);

/* @name, or "name_" if a member of a C or C++ struct cannot be called that. */
char *names_member(struct pipit_arena *arena, const char *name);

/* "users/v1/users.proto" -> "users_v1_users_proto". */
char *names_file_symbol(struct pipit_arena *arena, const char *file);

/* "users/v1/users.proto" -> "USERS_V1_USERS_PIPIT_H". */
char *names_guard(struct pipit_arena *arena, const char *file);

/* "users/v1/users.proto" -> "users/v1/users". */
char *names_stem(struct pipit_arena *arena, const char *file);

/* As protoc-c has it: ".users.v1.User" -> "Users__V1__User". The dot in front may be missing. */
char *names_message_type(struct pipit_arena *arena, const char *full_name);

/* As protoc-c has it: ".users.v1.GetUser" -> "users__v1__get_user__descriptor". */
char *names_message_descriptor(struct pipit_arena *arena, const char *full_name);

#endif
