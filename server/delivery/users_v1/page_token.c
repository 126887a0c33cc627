#include "server/delivery/users_v1/page_token.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_VERSION 1

/* Keeps these MACs apart from any other use of the same key. */
static const char mac_context[] = "users.v1 page token";

struct token {
        uint8_t version;
        uint8_t after[PIPIT_UUID_BYTES];
        uint8_t mac[crypto_auth_hmacsha256_BYTES];
};

_Static_assert(sizeof(struct token) == 49, "a token is packed bytes");
_Static_assert(USERS_V1_PAGE_TOKEN_KEY_BYTES == crypto_auth_hmacsha256_KEYBYTES, "HMAC key");
_Static_assert(USERS_V1_PAGE_TOKEN_SIZE ==
                       sodium_base64_ENCODED_LEN(sizeof(struct token),
                                                 sodium_base64_VARIANT_URLSAFE_NO_PADDING),
               "base64 with its NUL");

static void token_mac(const uint8_t *key, const struct token *token, uint8_t *ret_mac)
{
        crypto_auth_hmacsha256_state state;

        (void)crypto_auth_hmacsha256_init(&state, key, USERS_V1_PAGE_TOKEN_KEY_BYTES);
        (void)crypto_auth_hmacsha256_update(
                &state, (const uint8_t *)mac_context, sizeof(mac_context));
        (void)crypto_auth_hmacsha256_update(&state, &token->version, sizeof(token->version));
        (void)crypto_auth_hmacsha256_update(&state, token->after, sizeof(token->after));
        (void)crypto_auth_hmacsha256_final(&state, ret_mac);
}

void users_v1_page_token_write(const uint8_t key[USERS_V1_PAGE_TOKEN_KEY_BYTES],
                               const struct pipit_uuid *after,
                               char ret_token[USERS_V1_PAGE_TOKEN_SIZE])
{
        struct token token = {.version = TOKEN_VERSION};

        memcpy(token.after, after->bytes, sizeof(token.after));
        token_mac(key, &token, token.mac);
        (void)sodium_bin2base64(ret_token,
                                USERS_V1_PAGE_TOKEN_SIZE,
                                (const uint8_t *)&token,
                                sizeof(token),
                                sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* libsodium 1.0.18 takes some bytes over 127 for digits: one token would have several texts. */
static bool is_base64url(const char *text)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

        return text[strspn(text, digits)] == '\0';
}

bool users_v1_page_token_read(const uint8_t key[USERS_V1_PAGE_TOKEN_KEY_BYTES],
                              const char *text,
                              struct pipit_uuid *ret_after)
{
        struct token token;
        uint8_t mac[crypto_auth_hmacsha256_BYTES];
        size_t n_bytes;

        if (!is_base64url(text) || sodium_base642bin((uint8_t *)&token,
                                                     sizeof(token),
                                                     text,
                                                     strlen(text),
                                                     NULL,
                                                     &n_bytes,
                                                     NULL,
                                                     sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0)
                return false;
        if (n_bytes != sizeof(token) || token.version != TOKEN_VERSION)
                return false;

        token_mac(key, &token, mac);
        if (sodium_memcmp(mac, token.mac, sizeof(mac)) != 0)
                return false;

        memcpy(ret_after->bytes, token.after, sizeof(ret_after->bytes));

        return true;
}
