#include "server/delivery/users_v1/request_hash.h"

#include <sodium.h>
#include <string.h>

#include "core/base/macros.h"

_Static_assert(USERS_V1_REQUEST_HASH_BYTES == crypto_hash_sha256_BYTES, "SHA-256");

static char no_request_id[] = "";

/* A ProtobufCBuffer that hashes what is packed into it. */
struct hash_buffer {
        ProtobufCBuffer base;
        crypto_hash_sha256_state state;
};

static void hash_append(ProtobufCBuffer *buffer, size_t n_bytes, const uint8_t *bytes)
{
        struct hash_buffer *hash = pipit_container_of(buffer, struct hash_buffer, base);

        (void)crypto_hash_sha256_update(&hash->state, bytes, n_bytes);
}

static void hash_message(const ProtobufCMessage *message, uint8_t *ret_hash)
{
        struct hash_buffer hash = {.base = {.append = hash_append}};
        const char *name = message->descriptor->name;

        (void)crypto_hash_sha256_init(&hash.state);
        (void)crypto_hash_sha256_update(&hash.state, (const uint8_t *)name, strlen(name) + 1);
        (void)protobuf_c_message_pack_to_buffer(message, &hash.base);
        (void)crypto_hash_sha256_final(&hash.state, ret_hash);
}

static void forget_unknown_fields(ProtobufCMessage *message)
{
        message->n_unknown_fields = 0;
        message->unknown_fields = NULL;
}

static Users__V1__User *canonical_user(Users__V1__User *copy, const Users__V1__User *user)
{
        if (!user)
                return NULL;

        *copy = *user;
        copy->create_time = NULL;
        copy->update_time = NULL;
        forget_unknown_fields(&copy->base);

        return copy;
}

void users_v1_hash_create_user(const Users__V1__CreateUserRequest *request,
                               uint8_t ret_hash[USERS_V1_REQUEST_HASH_BYTES])
{
        Users__V1__CreateUserRequest copy = *request;
        Users__V1__User user;

        copy.request_id = no_request_id;
        copy.user = canonical_user(&user, request->user);
        forget_unknown_fields(&copy.base);
        hash_message(&copy.base, ret_hash);
}

void users_v1_hash_update_user(const Users__V1__UpdateUserRequest *request,
                               uint8_t ret_hash[USERS_V1_REQUEST_HASH_BYTES])
{
        Users__V1__UpdateUserRequest copy = *request;
        Google__Protobuf__FieldMask mask;
        Users__V1__User user;

        copy.request_id = no_request_id;
        copy.user = canonical_user(&user, request->user);
        if (request->update_mask) {
                mask = *request->update_mask;
                forget_unknown_fields(&mask.base);
                copy.update_mask = &mask;
        }
        forget_unknown_fields(&copy.base);
        hash_message(&copy.base, ret_hash);
}

void users_v1_hash_delete_user(const Users__V1__DeleteUserRequest *request,
                               uint8_t ret_hash[USERS_V1_REQUEST_HASH_BYTES])
{
        Users__V1__DeleteUserRequest copy = *request;

        copy.request_id = no_request_id;
        forget_unknown_fields(&copy.base);
        hash_message(&copy.base, ret_hash);
}
