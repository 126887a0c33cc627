/*
 * What generated code tells the client and the server of a service
 *
 * Tables only, all static const and written by protoc-gen-pipit. Public:
 * installed, compiles alone, in C and C++.
 */

#ifndef PIPIT_SERVICE_H
#define PIPIT_SERVICE_H

#include <pipit/macros.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

PIPIT_BEGIN_DECLS

/* A .proto file as protoc saw it: a serialized google.protobuf.FileDescriptorProto. */
struct pipit_file {
        const char *name; /* "users/v1/users.proto" */
        const uint8_t *bytes;
        size_t n_bytes;
        const struct pipit_file *const *dependencies; /* without options-only imports */
        size_t n_dependencies;
};

struct pipit_method {
        const char *name;      /* on the wire: "users.v1.UsersService/GetUser" */
        const char *full_name; /* in C: "users_v1_get_user" */
        const ProtobufCMessageDescriptor *request;
        const ProtobufCMessageDescriptor *response;
        bool no_side_effects; /* idempotency_level = NO_SIDE_EFFECTS */
};

struct pipit_service {
        const char *name; /* "users.v1.UsersService" */
        const struct pipit_method *methods;
        size_t n_methods;
        const struct pipit_file *file;
};

/* One entry of metadata. Keys: 1 to 64 of [a-z0-9._-]; values: any bytes. */
struct pipit_metadata {
        const char *key;
        const uint8_t *value;
        size_t n_value_bytes;
};

PIPIT_END_DECLS

#endif
