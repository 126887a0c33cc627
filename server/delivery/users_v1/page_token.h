/*
 * Page tokens: where a list goes on, authenticated
 *
 *      base64url( 1, id[16], HMAC-SHA256(key, context, 1, id)[32] )
 *
 * The key is the store's, so any server on the store can go on with a page that
 * another one began.
 */

#ifndef SERVER_DELIVERY_USERS_V1_PAGE_TOKEN_H
#define SERVER_DELIVERY_USERS_V1_PAGE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/uuid.h"

#define USERS_V1_PAGE_TOKEN_KEY_BYTES 32
#define USERS_V1_PAGE_TOKEN_SIZE      67 /* 49 bytes in base64url without padding, and the NUL */

void users_v1_page_token_write(const uint8_t key[USERS_V1_PAGE_TOKEN_KEY_BYTES],
                               const struct pipit_uuid *after,
                               char ret_token[USERS_V1_PAGE_TOKEN_SIZE]);

/* False: not a token made with @key; *ret_after is untouched. */
bool users_v1_page_token_read(const uint8_t key[USERS_V1_PAGE_TOKEN_KEY_BYTES],
                              const char *text,
                              struct pipit_uuid *ret_after);

#endif
