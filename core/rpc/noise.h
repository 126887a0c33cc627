/*
 * Noise_IK_25519_ChaChaPoly_SHA256: the handshake, and the cipher behind it
 *
 *      <- s
 *      ...
 *      -> e, es, s, ss   first message: the initiator knows the responder's key
 *      <- e, ee, se      second message
 *
 * Over libsodium's primitives, and nothing but the Noise specification
 * (revision 34): prologue and payloads are the caller's, as is what the bytes
 * mean (core/rpc/handshake.h).
 *
 * A message that is refused changes nothing: the same state takes the right one
 * afterwards. A function that is called out of turn refuses, too. Functions
 * that return bool say false for all that is wrong with a message, and no more:
 * what a stranger may not know, the caller should not.
 *
 * Not thread-safe; one handshake is used by one thread at a time.
 */

#ifndef CORE_RPC_NOISE_H
#define CORE_RPC_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/macros.h"

#define PIPIT_NOISE_KEY_BYTES  32
#define PIPIT_NOISE_HASH_BYTES 32
#define PIPIT_NOISE_TAG_BYTES  16

/* What a message is longer than its payload. */
#define PIPIT_NOISE_FIRST_BYTES                                                                    \
        (PIPIT_NOISE_KEY_BYTES + PIPIT_NOISE_KEY_BYTES + 2 * PIPIT_NOISE_TAG_BYTES)
#define PIPIT_NOISE_SECOND_BYTES (PIPIT_NOISE_KEY_BYTES + PIPIT_NOISE_TAG_BYTES)

/* A static X25519 key and its public half. Long-lived ones lie in guarded memory. */
struct pipit_noise_keys {
        uint8_t secret[PIPIT_NOISE_KEY_BYTES];
        uint8_t public[PIPIT_NOISE_KEY_BYTES];
};

/* What a finished handshake gives: a key for each direction. */
struct pipit_noise_transport {
        uint8_t send[PIPIT_NOISE_KEY_BYTES];
        uint8_t receive[PIPIT_NOISE_KEY_BYTES];
        uint8_t hash[PIPIT_NOISE_HASH_BYTES]; /* of the whole handshake: both sides have the same */
};

/* Whose turn it is. */
enum pipit_noise_step {
        PIPIT_NOISE_WRITE_FIRST,        /* initiator, at the start */
        PIPIT_NOISE_READ_FIRST_STATIC,  /* responder, at the start */
        PIPIT_NOISE_READ_FIRST_PAYLOAD, /* responder, who knows whom it would be */
        PIPIT_NOISE_WRITE_SECOND,
        PIPIT_NOISE_READ_SECOND,
        PIPIT_NOISE_SPLIT,
        PIPIT_NOISE_OVER,
};

struct pipit_noise {
        /* private */
        enum pipit_noise_step step;
        bool is_initiator;
        bool ephemeral_is_given;
        const struct pipit_noise_keys *keys; /* borrowed */
        struct pipit_noise_keys ephemeral;
        uint8_t remote_static[PIPIT_NOISE_KEY_BYTES];
        uint8_t remote_ephemeral[PIPIT_NOISE_KEY_BYTES];
        uint8_t hash[PIPIT_NOISE_HASH_BYTES];
        uint8_t chaining_key[PIPIT_NOISE_HASH_BYTES];
        uint8_t key[PIPIT_NOISE_KEY_BYTES];
};

/*
 * Begins a handshake. @keys are borrowed until deinit. @remote_static is the
 * responder's public key for the initiator, NULL for the responder.
 */
void pipit_noise_init(struct pipit_noise *noise,
                      const struct pipit_noise_keys *keys,
                      const uint8_t remote_static[PIPIT_NOISE_KEY_BYTES],
                      const void *prologue,
                      size_t n_prologue);

/* Memory for one that lives longer than a function does: guarded. NULL: out of memory. */
PIPIT_MUST_CHECK struct pipit_noise *pipit_noise_new(void);

/* Zeroes and frees it. NULL is a no-op. Returns NULL. */
struct pipit_noise *pipit_noise_free(struct pipit_noise *noise);

/* Zeroes all of it. After any step, and twice. */
void pipit_noise_deinit(struct pipit_noise *noise);

/* For test vectors only: the ephemeral key, which else is drawn at random. */
void pipit_noise_set_ephemeral(struct pipit_noise *noise,
                               const uint8_t secret[PIPIT_NOISE_KEY_BYTES]);

/*
 * Initiator: writes n_payload + PIPIT_NOISE_FIRST_BYTES. False: the responder's key
 * is no key that one can agree with.
 */
PIPIT_MUST_CHECK bool pipit_noise_write_first(struct pipit_noise *noise,
                                              const void *payload,
                                              size_t n_payload,
                                              uint8_t *ret_message);

/*
 * Responder: whom the first message claims to be from, after one key agreement.
 * It is proven only when pipit_noise_read_first_payload() has passed the same message.
 */
PIPIT_MUST_CHECK bool pipit_noise_read_first_static(struct pipit_noise *noise,
                                                    const uint8_t *message,
                                                    size_t n_message,
                                                    uint8_t ret_static[PIPIT_NOISE_KEY_BYTES]);

/* Responder: *ret_payload has n_message - PIPIT_NOISE_FIRST_BYTES. */
PIPIT_MUST_CHECK bool pipit_noise_read_first_payload(struct pipit_noise *noise,
                                                     const uint8_t *message,
                                                     size_t n_message,
                                                     uint8_t *ret_payload);

/* Responder: writes n_payload + PIPIT_NOISE_SECOND_BYTES. */
PIPIT_MUST_CHECK bool pipit_noise_write_second(struct pipit_noise *noise,
                                               const void *payload,
                                               size_t n_payload,
                                               uint8_t *ret_message);

/* Initiator: *ret_payload has n_message - PIPIT_NOISE_SECOND_BYTES. */
PIPIT_MUST_CHECK bool pipit_noise_read_second(struct pipit_noise *noise,
                                              const uint8_t *message,
                                              size_t n_message,
                                              uint8_t *ret_payload);

/* The transport's keys, once the second message was written or read. Zeroes the handshake. */
PIPIT_MUST_CHECK bool pipit_noise_split(struct pipit_noise *noise,
                                        struct pipit_noise_transport *ret_transport);

/* Zeroes it: a session has keys of its own by then. */
void pipit_noise_transport_deinit(struct pipit_noise_transport *transport);

/* --- keys -------------------------------------------------------------------- */

/* A new key pair, from the system's randomness. */
void pipit_noise_keys_generate(struct pipit_noise_keys *ret_keys);

/* The public half of @secret. */
void pipit_noise_keys_derive(const uint8_t secret[PIPIT_NOISE_KEY_BYTES],
                             struct pipit_noise_keys *ret_keys);

/* --- the cipher ---------------------------------------------------------------- */

/* Encrypts @bytes where they lie. A key never meets the same @counter twice. */
void pipit_noise_encrypt(const uint8_t key[PIPIT_NOISE_KEY_BYTES],
                         uint64_t counter,
                         const uint8_t *clear,
                         size_t n_clear,
                         uint8_t *bytes,
                         size_t n_bytes,
                         uint8_t ret_tag[PIPIT_NOISE_TAG_BYTES]);

/* Decrypts them. False: they were not encrypted so, and @bytes are zeroes now. */
PIPIT_MUST_CHECK bool pipit_noise_decrypt(const uint8_t key[PIPIT_NOISE_KEY_BYTES],
                                          uint64_t counter,
                                          const uint8_t *clear,
                                          size_t n_clear,
                                          uint8_t *bytes,
                                          size_t n_bytes,
                                          const uint8_t tag[PIPIT_NOISE_TAG_BYTES]);

#endif
