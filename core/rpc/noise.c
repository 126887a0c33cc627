#include "core/rpc/noise.h"

#include <sodium.h>
#include <string.h>

#include "core/rpc/little_endian.h"

/* Exactly as long as a hash, so it is the first hash as it stands. */
static const char protocol_name[] = "Noise_IK_25519_ChaChaPoly_SHA256";

_Static_assert(sizeof(protocol_name) - 1 == PIPIT_NOISE_HASH_BYTES, "Noise 5.2, Initialize");
_Static_assert(PIPIT_NOISE_KEY_BYTES == crypto_scalarmult_curve25519_BYTES, "X25519");
_Static_assert(PIPIT_NOISE_KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "AEAD");
_Static_assert(PIPIT_NOISE_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "AEAD");
_Static_assert(PIPIT_NOISE_HASH_BYTES == crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(PIPIT_NOISE_HASH_BYTES == crypto_auth_hmacsha256_BYTES, "HMAC-SHA-256");

#define ENCRYPTED_STATIC_BYTES (PIPIT_NOISE_KEY_BYTES + PIPIT_NOISE_TAG_BYTES)

/* --- the cipher ---------------------------------------------------------------- */

static void make_nonce(uint64_t counter, uint8_t ret_nonce[12])
{
        memset(ret_nonce, 0, 4);
        pipit_write_u64(ret_nonce + 4, counter);
}

void pipit_noise_encrypt(const uint8_t key[PIPIT_NOISE_KEY_BYTES],
                         uint64_t counter,
                         const uint8_t *clear,
                         size_t n_clear,
                         uint8_t *bytes,
                         size_t n_bytes,
                         uint8_t ret_tag[PIPIT_NOISE_TAG_BYTES])
{
        uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

        make_nonce(counter, nonce);
        (void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(
                bytes, ret_tag, NULL, bytes, n_bytes, clear, n_clear, NULL, nonce, key);
}

bool pipit_noise_decrypt(const uint8_t key[PIPIT_NOISE_KEY_BYTES],
                         uint64_t counter,
                         const uint8_t *clear,
                         size_t n_clear,
                         uint8_t *bytes,
                         size_t n_bytes,
                         const uint8_t tag[PIPIT_NOISE_TAG_BYTES])
{
        uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

        make_nonce(counter, nonce);
        return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                       bytes, NULL, bytes, n_bytes, tag, clear, n_clear, nonce, key) == 0;
}

/* --- keys ------------------------------------------------------------------------ */

void pipit_noise_keys_derive(const uint8_t secret[PIPIT_NOISE_KEY_BYTES],
                             struct pipit_noise_keys *ret_keys)
{
        memmove(ret_keys->secret, secret, sizeof(ret_keys->secret));
        (void)crypto_scalarmult_curve25519_base(ret_keys->public, ret_keys->secret);
}

void pipit_noise_keys_generate(struct pipit_noise_keys *ret_keys)
{
        randombytes_buf(ret_keys->secret, sizeof(ret_keys->secret));
        pipit_noise_keys_derive(ret_keys->secret, ret_keys);
}

/* --- the symmetric state (Noise 5.2) -------------------------------------------- */

static void mix_hash(struct pipit_noise *noise, const void *bytes, size_t n_bytes)
{
        crypto_hash_sha256_state state;

        (void)crypto_hash_sha256_init(&state);
        (void)crypto_hash_sha256_update(&state, noise->hash, sizeof(noise->hash));
        (void)crypto_hash_sha256_update(&state, bytes, n_bytes);
        (void)crypto_hash_sha256_final(&state, noise->hash);
}

static void hmac(const uint8_t key[PIPIT_NOISE_HASH_BYTES],
                 const uint8_t *bytes,
                 size_t n_bytes,
                 uint8_t ret_mac[PIPIT_NOISE_HASH_BYTES])
{
        crypto_auth_hmacsha256_state state;

        (void)crypto_auth_hmacsha256_init(&state, key, PIPIT_NOISE_HASH_BYTES);
        (void)crypto_auth_hmacsha256_update(&state, bytes, n_bytes);
        (void)crypto_auth_hmacsha256_final(&state, ret_mac);
        sodium_memzero(&state, sizeof(state));
}

/* HKDF with two outputs (Noise 4.3). @ret_first may be @chaining_key. */
static void hkdf(const uint8_t chaining_key[PIPIT_NOISE_HASH_BYTES],
                 const uint8_t *input,
                 size_t n_input,
                 uint8_t ret_first[PIPIT_NOISE_HASH_BYTES],
                 uint8_t ret_second[PIPIT_NOISE_HASH_BYTES])
{
        uint8_t temporary[PIPIT_NOISE_HASH_BYTES];
        uint8_t block[PIPIT_NOISE_HASH_BYTES + 1] = {1};

        hmac(chaining_key, input, n_input, temporary);
        hmac(temporary, block, 1, ret_first);
        memcpy(block, ret_first, PIPIT_NOISE_HASH_BYTES);
        block[PIPIT_NOISE_HASH_BYTES] = 2;
        hmac(temporary, block, sizeof(block), ret_second);

        sodium_memzero(temporary, sizeof(temporary));
        sodium_memzero(block, sizeof(block));
}

/* False: @public is a point of low order, so that anybody knows what comes out. */
static bool mix_agreement(struct pipit_noise *noise,
                          const uint8_t secret[PIPIT_NOISE_KEY_BYTES],
                          const uint8_t public[PIPIT_NOISE_KEY_BYTES])
{
        uint8_t shared[PIPIT_NOISE_KEY_BYTES];
        bool ok = crypto_scalarmult_curve25519(shared, secret, public) == 0;

        if (ok)
                hkdf(noise->chaining_key, shared, sizeof(shared), noise->chaining_key, noise->key);
        sodium_memzero(shared, sizeof(shared));

        return ok;
}

/*
 * Each key of this pattern encrypts once, so that the counter is always 0.
 * Writes n_bytes + the tag.
 */
static void encrypt_and_hash(struct pipit_noise *noise,
                             const void *bytes,
                             size_t n_bytes,
                             uint8_t *ret_bytes)
{
        if (n_bytes > 0)
                memmove(ret_bytes, bytes, n_bytes);
        pipit_noise_encrypt(noise->key,
                            0,
                            noise->hash,
                            sizeof(noise->hash),
                            ret_bytes,
                            n_bytes,
                            ret_bytes + n_bytes);
        mix_hash(noise, ret_bytes, n_bytes + PIPIT_NOISE_TAG_BYTES);
}

/* @n_bytes are those of the ciphertext, the tag among them. */
static bool decrypt_and_hash(struct pipit_noise *noise,
                             const uint8_t *bytes,
                             size_t n_bytes,
                             uint8_t *ret_bytes)
{
        size_t n_plain = n_bytes - PIPIT_NOISE_TAG_BYTES;

        if (n_plain > 0)
                memmove(ret_bytes, bytes, n_plain);
        if (!pipit_noise_decrypt(noise->key,
                                 0,
                                 noise->hash,
                                 sizeof(noise->hash),
                                 ret_bytes,
                                 n_plain,
                                 bytes + n_plain))
                return false;
        mix_hash(noise, bytes, n_bytes);

        return true;
}

/* --- the handshake (Noise 5.3, pattern IK) ---------------------------------------- */

void pipit_noise_init(struct pipit_noise *noise,
                      const struct pipit_noise_keys *keys,
                      const uint8_t remote_static[PIPIT_NOISE_KEY_BYTES],
                      const void *prologue,
                      size_t n_prologue)
{
        *noise = (struct pipit_noise){
                .step = remote_static ? PIPIT_NOISE_WRITE_FIRST : PIPIT_NOISE_READ_FIRST_STATIC,
                .is_initiator = remote_static != NULL,
                .keys = keys,
        };
        memcpy(noise->hash, protocol_name, sizeof(noise->hash));
        memcpy(noise->chaining_key, noise->hash, sizeof(noise->chaining_key));
        mix_hash(noise, prologue, n_prologue);
        if (remote_static)
                memcpy(noise->remote_static, remote_static, sizeof(noise->remote_static));
        mix_hash(noise, remote_static ? remote_static : keys->public, PIPIT_NOISE_KEY_BYTES);
}

struct pipit_noise *pipit_noise_new(void)
{
        struct pipit_noise *noise = sodium_init() < 0 ? NULL : sodium_malloc(sizeof(*noise));

        if (noise)
                sodium_memzero(noise, sizeof(*noise));

        return noise;
}

struct pipit_noise *pipit_noise_free(struct pipit_noise *noise)
{
        sodium_free(noise);

        return NULL;
}

void pipit_noise_deinit(struct pipit_noise *noise)
{
        sodium_memzero(noise, sizeof(*noise));
        noise->step = PIPIT_NOISE_OVER;
}

void pipit_noise_set_ephemeral(struct pipit_noise *noise,
                               const uint8_t secret[PIPIT_NOISE_KEY_BYTES])
{
        pipit_noise_keys_derive(secret, &noise->ephemeral);
        noise->ephemeral_is_given = true;
}

static void write_ephemeral(struct pipit_noise *noise, uint8_t *ret_message)
{
        if (!noise->ephemeral_is_given)
                pipit_noise_keys_generate(&noise->ephemeral);
        memcpy(ret_message, noise->ephemeral.public, PIPIT_NOISE_KEY_BYTES);
        mix_hash(noise, ret_message, PIPIT_NOISE_KEY_BYTES);
}

static void read_ephemeral(struct pipit_noise *noise, const uint8_t *message)
{
        memcpy(noise->remote_ephemeral, message, PIPIT_NOISE_KEY_BYTES);
        mix_hash(noise, message, PIPIT_NOISE_KEY_BYTES);
}

/* Takes over what was tried on a copy, or leaves all as it was. */
static bool conclude(struct pipit_noise *noise,
                     struct pipit_noise *tried,
                     bool ok,
                     enum pipit_noise_step next)
{
        if (ok) {
                *noise = *tried;
                noise->step = next;
        }
        sodium_memzero(tried, sizeof(*tried));

        return ok;
}

bool pipit_noise_write_first(struct pipit_noise *noise,
                             const void *payload,
                             size_t n_payload,
                             uint8_t *ret_message)
{
        struct pipit_noise tried = *noise;
        bool ok = false;

        if (noise->step != PIPIT_NOISE_WRITE_FIRST)
                goto done;

        write_ephemeral(&tried, ret_message);
        ret_message += PIPIT_NOISE_KEY_BYTES;
        if (!mix_agreement(&tried, tried.ephemeral.secret, tried.remote_static))
                goto done;

        encrypt_and_hash(&tried, tried.keys->public, PIPIT_NOISE_KEY_BYTES, ret_message);
        ret_message += ENCRYPTED_STATIC_BYTES;
        if (!mix_agreement(&tried, tried.keys->secret, tried.remote_static))
                goto done;

        encrypt_and_hash(&tried, payload, n_payload, ret_message);
        ok = true;
done:
        return conclude(noise, &tried, ok, PIPIT_NOISE_READ_SECOND);
}

bool pipit_noise_read_first_static(struct pipit_noise *noise,
                                   const uint8_t *message,
                                   size_t n_message,
                                   uint8_t ret_static[PIPIT_NOISE_KEY_BYTES])
{
        struct pipit_noise tried = *noise;
        bool ok = false;

        if (noise->step != PIPIT_NOISE_READ_FIRST_STATIC || n_message < PIPIT_NOISE_FIRST_BYTES)
                goto done;

        read_ephemeral(&tried, message);
        ok = mix_agreement(&tried, tried.keys->secret, tried.remote_ephemeral) &&
             decrypt_and_hash(&tried,
                              message + PIPIT_NOISE_KEY_BYTES,
                              ENCRYPTED_STATIC_BYTES,
                              tried.remote_static);
        if (ok)
                memcpy(ret_static, tried.remote_static, PIPIT_NOISE_KEY_BYTES);
done:
        return conclude(noise, &tried, ok, PIPIT_NOISE_READ_FIRST_PAYLOAD);
}

bool pipit_noise_read_first_payload(struct pipit_noise *noise,
                                    const uint8_t *message,
                                    size_t n_message,
                                    uint8_t *ret_payload)
{
        const size_t n_before = PIPIT_NOISE_KEY_BYTES + ENCRYPTED_STATIC_BYTES;
        struct pipit_noise tried = *noise;
        bool ok = false;

        if (noise->step != PIPIT_NOISE_READ_FIRST_PAYLOAD || n_message < PIPIT_NOISE_FIRST_BYTES)
                goto done;

        ok = mix_agreement(&tried, tried.keys->secret, tried.remote_static) &&
             decrypt_and_hash(&tried, message + n_before, n_message - n_before, ret_payload);
done:
        return conclude(noise, &tried, ok, PIPIT_NOISE_WRITE_SECOND);
}

bool pipit_noise_write_second(struct pipit_noise *noise,
                              const void *payload,
                              size_t n_payload,
                              uint8_t *ret_message)
{
        struct pipit_noise tried = *noise;
        bool ok = false;

        if (noise->step != PIPIT_NOISE_WRITE_SECOND)
                goto done;

        write_ephemeral(&tried, ret_message);
        ok = mix_agreement(&tried, tried.ephemeral.secret, tried.remote_ephemeral) &&
             mix_agreement(&tried, tried.ephemeral.secret, tried.remote_static);
        if (ok)
                encrypt_and_hash(&tried, payload, n_payload, ret_message + PIPIT_NOISE_KEY_BYTES);
done:
        return conclude(noise, &tried, ok, PIPIT_NOISE_SPLIT);
}

bool pipit_noise_read_second(struct pipit_noise *noise,
                             const uint8_t *message,
                             size_t n_message,
                             uint8_t *ret_payload)
{
        struct pipit_noise tried = *noise;
        bool ok = false;

        if (noise->step != PIPIT_NOISE_READ_SECOND || n_message < PIPIT_NOISE_SECOND_BYTES)
                goto done;

        read_ephemeral(&tried, message);
        ok = mix_agreement(&tried, tried.ephemeral.secret, tried.remote_ephemeral) &&
             mix_agreement(&tried, tried.keys->secret, tried.remote_ephemeral) &&
             decrypt_and_hash(&tried,
                              message + PIPIT_NOISE_KEY_BYTES,
                              n_message - PIPIT_NOISE_KEY_BYTES,
                              ret_payload);
done:
        return conclude(noise, &tried, ok, PIPIT_NOISE_SPLIT);
}

bool pipit_noise_split(struct pipit_noise *noise, struct pipit_noise_transport *ret_transport)
{
        uint8_t *first = noise->is_initiator ? ret_transport->send : ret_transport->receive;
        uint8_t *second = noise->is_initiator ? ret_transport->receive : ret_transport->send;

        if (noise->step != PIPIT_NOISE_SPLIT)
                return false;

        hkdf(noise->chaining_key, NULL, 0, first, second);
        memcpy(ret_transport->hash, noise->hash, sizeof(ret_transport->hash));
        pipit_noise_deinit(noise);

        return true;
}

void pipit_noise_transport_deinit(struct pipit_noise_transport *transport)
{
        sodium_memzero(transport, sizeof(*transport));
}
