/*
 * SP: what stands before a frame on a stream, of nng's request/reply protocol
 *
 *      greeting, both ways, then messages:
 *      ipc     01, length as u64 BE, words of u32 BE, frame
 *      tcp         length as u64 BE, words of u32 BE, frame
 *
 * The last word is the request id, the only one with the top bit; those before it
 * are of devices. docs/wire.md, section 1.
 */

#ifndef CORE_RPC_SP_H
#define CORE_RPC_SP_H

#include <stdbool.h>
#include <stdint.h>

#define SP_GREETING_BYTES 8
#define SP_ID_BYTES       4 /* of a word */
#define SP_ID_TOP         UINT32_C(0x80000000)
#define SP_WORDS_MAX      8 /* nng's NNG_MAXTTL by default */

enum sp_framing {
        SP_IPC,
        SP_TCP,
};

#define SP_HEAD_BYTES_IPC 9
#define SP_HEAD_BYTES_TCP 8
#define SP_HEAD_BYTES_MAX SP_HEAD_BYTES_IPC

extern const uint8_t pipit_sp_greeting_of_client[SP_GREETING_BYTES];
extern const uint8_t pipit_sp_greeting_of_server[SP_GREETING_BYTES];

static inline unsigned int pipit_sp_head_bytes(enum sp_framing framing)
{
        return framing == SP_IPC ? SP_HEAD_BYTES_IPC : SP_HEAD_BYTES_TCP;
}

/* The length of words and frame, from a head of @framing. False: no head of SP. */
bool pipit_sp_head_read(const uint8_t *bytes, enum sp_framing framing, uint64_t *ret_n_bytes);

/* Writes pipit_sp_head_bytes() before @bytes, whose length is @n_bytes. Returns where they begin. */
uint8_t *pipit_sp_head_write(uint8_t *bytes, enum sp_framing framing, uint64_t n_bytes);

#endif
