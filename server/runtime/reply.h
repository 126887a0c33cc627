/*
 * Reply: one call's end, packed when it is given
 *
 * Into its mailbox's row of ready replies, so that it pins no arena.
 */

#ifndef SERVER_RUNTIME_REPLY_H
#define SERVER_RUNTIME_REPLY_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "server/runtime/errors.h"

struct box;
struct pipit_server_call;

/* What the body of a response has beside its replies: instance, draining. */
#define RESPONSE_HEAD_BYTES (9 + 2)

/* What a plain response has beside them. */
#define RESPONSE_OVERHEAD_BYTES (4 + RESPONSE_HEAD_BYTES)

/* Enough for any reply that carries an error of the runtime's table. */
#define REPLY_ERROR_BYTES_MAX 512

/* A record of @id with @error; its length. 0: out of memory. */
size_t reply_pack_error(uint64_t id,
                        enum runtime_error error,
                        uint8_t ret_record[REPLY_ERROR_BYTES_MAX]);

/* With @box's mutex: makes a record of @id with @error the last that waits. False: out of memory. */
bool reply_append_error(struct box *box, uint64_t id, enum runtime_error error);

/*
 * Ends @call with @response, or with @error, unless it has ended already;
 * marks its box for the flush and has the hooks see it. The caller lets go of the call.
 */
void reply_give(struct pipit_server_call *call,
                const ProtobufCMessage *response,
                const struct pipit_error *error);

#endif
