/*
 * Raw: a server of docs/wire.md, section 1, of which the test writes every byte
 *
 * One connection at a time, no thread of its own, blocking; aborts after thirty
 * seconds of nothing, or where the client does not what it must.
 */

#ifndef TESTS_INTEGRATION_CLIENT_RAW_H
#define TESTS_INTEGRATION_CLIENT_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipit/v1/frame.pb-c.h"

#define RAW_GREETING_BYTES 8
#define RAW_INSTANCE       7

extern const uint8_t raw_greeting[RAW_GREETING_BYTES];

struct raw {
        bool is_tcp;
        int listener;
        int fd; /* -1: no connection */
};

/* A frame of any kind, and the id of its request. */
struct raw_frame {
        uint32_t id;
        uint8_t *bytes;
        size_t n_bytes;
};

/* A request; its frame's id on the wire. */
struct raw_request {
        uint32_t id;
        Pipit__V1__Request *request;
};

struct raw_reply {
        uint64_t id;
        const char *text;
};

/* On an ipc URL, or on tcp://127.0.0.1:PORT, which is told. */
void raw_listen(struct raw *raw, const char *url);
void raw_listen_tcp(struct raw *raw, char *ret_url, size_t n_bytes);
void raw_close(struct raw *raw);

/* The next connection; raw_accept() greets, too. */
void raw_accept_only(struct raw *raw);
void raw_accept(struct raw *raw);
void raw_hang_up(struct raw *raw);

void raw_write(struct raw *raw, const void *bytes, size_t n_bytes);

/* False: the client has hung up. */
bool raw_read(struct raw *raw, void *bytes, size_t n_bytes);

/* The next frame, whatever it is; its bytes are the caller's. False: the client has hung up. */
bool raw_read_frame(struct raw *raw, struct raw_frame *ret_frame);

/* False: the client has hung up, or does not take it in one go. */
bool raw_write_frame(struct raw *raw, const struct raw_frame *frame);

/* The next frame with calls, or with calls or awaits; those before are answered with nothing. */
struct raw_request raw_next(struct raw *raw);
struct raw_request raw_next_awaits(struct raw *raw);

/* The next frame, whatever it holds. */
struct raw_request raw_next_any(struct raw *raw);

void raw_request_free(struct raw_request *request);

/* The bytes of an answer to the frame @id, head and all; freed by the caller. */
uint8_t *raw_pack(const struct raw *raw,
                  uint32_t id,
                  const struct raw_reply *replies,
                  size_t n_replies,
                  size_t *ret_n_bytes);

/* Answers @request with the text of each of its calls, and frees it. */
void raw_echo(struct raw *raw, struct raw_request *request);

void raw_answer(struct raw *raw, uint32_t id, uint64_t call_id, const char *text);

#endif
