/*
 * What makes two requests with one request_id the same request
 *
 * SHA-256 over the method's name and the request packed anew: without its
 * request_id, without unknown fields and without what only the server gives
 * (times), so that another order of fields or a newer client does not make a
 * repeat look different.
 */

#ifndef SERVER_DELIVERY_USERS_V1_REQUEST_HASH_H
#define SERVER_DELIVERY_USERS_V1_REQUEST_HASH_H

#include <stdint.h>

#include "users/v1/users.pb-c.h"

#define USERS_V1_REQUEST_HASH_BYTES 32

void users_v1_hash_create_user(const Users__V1__CreateUserRequest *request,
                               uint8_t ret_hash[USERS_V1_REQUEST_HASH_BYTES]);
void users_v1_hash_update_user(const Users__V1__UpdateUserRequest *request,
                               uint8_t ret_hash[USERS_V1_REQUEST_HASH_BYTES]);
void users_v1_hash_delete_user(const Users__V1__DeleteUserRequest *request,
                               uint8_t ret_hash[USERS_V1_REQUEST_HASH_BYTES]);

#endif
