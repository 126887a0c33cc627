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

/* @name, or "name_" if C, C++ or the macros of common headers have another use for it. */
char *names_tag(struct pipit_arena *arena, const char *name);

/* The same for a member of a struct of handlers, which has a member of its own. */
char *names_member(struct pipit_arena *arena, const char *name);

/*
 * The member of a message's struct that field @name becomes: "userID" -> "userid",
 * "export" -> "export_", "base" -> "base_". protoc-c knows only some of these words:
 * the second function is what it must be told that the field is called.
 */
char *names_field(struct pipit_arena *arena, const char *name);
char *names_field_for_protoc_c(struct pipit_arena *arena, const char *name);

/* "users/v1/users.proto" -> "users_v1_users_proto". */
char *names_file_symbol(struct pipit_arena *arena, const char *file);

/* "users/v1/users.proto" -> "USERS_V1_USERS_PIPIT_H". */
char *names_guard(struct pipit_arena *arena, const char *file);

/* "users/v1/users.proto" -> "users/v1/users". */
char *names_stem(struct pipit_arena *arena, const char *file);

/*
 * As protoc-c has them; @full_name is of a message, an enum or a oneof, and the dot in
 * front of it may be missing. ".users.v1.GetUser" -> "Users__V1__GetUser",
 * "users__v1__get_user", "USERS__V1__GET_USER", "users__v1__get_user__descriptor".
 */
char *names_message_type(struct pipit_arena *arena, const char *full_name);
char *names_message_lower(struct pipit_arena *arena, const char *full_name);
char *names_message_upper(struct pipit_arena *arena, const char *full_name);
char *names_message_descriptor(struct pipit_arena *arena, const char *full_name);

#endif
