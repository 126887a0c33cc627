#include "client/sp_message.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* Of ipc, before the length: a message follows. There is nothing else. */
#define IPC_MESSAGE 1

const uint8_t sp_greeting_of_client[SP_GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
const uint8_t sp_greeting_of_server[SP_GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

struct sp_message *sp_message_new(size_t n_bytes)
{
        struct sp_message *message = malloc(sizeof(*message) + SP_FRAME_AT + n_bytes);

        if (!message)
                return NULL;
        *message = (struct sp_message){
                .n_bytes = n_bytes,
                .at = SP_FRAME_AT,
                .end = SP_FRAME_AT + n_bytes,
        };

        return message;
}

void sp_message_address(struct sp_message *message, enum sp_framing framing, uint32_t id)
{
        uint64_t n_bytes = htobe64(SP_ID_BYTES + message->n_bytes);
        uint32_t wire_id = htobe32(id);

        message->id = id;
        message->at = SP_HEAD_BYTES_MAX - sp_head_bytes(framing);
        message->bytes[0] = IPC_MESSAGE;
        memcpy(message->bytes + SP_HEAD_BYTES_MAX - sizeof(n_bytes), &n_bytes, sizeof(n_bytes));
        memcpy(message->bytes + SP_HEAD_BYTES_MAX, &wire_id, sizeof(wire_id));
}

struct sp_message *sp_message_new_greeting(void)
{
        struct sp_message *message = sp_message_new(0);

        if (!message)
                return NULL;
        memcpy(message->bytes, sp_greeting_of_client, SP_GREETING_BYTES);
        message->at = 0;
        message->end = SP_GREETING_BYTES;

        return message;
}

bool sp_head_read(const uint8_t *bytes, enum sp_framing framing, uint64_t *ret_n_bytes)
{
        uint64_t n_bytes;

        if (framing == SP_IPC && *bytes++ != IPC_MESSAGE)
                return false;
        memcpy(&n_bytes, bytes, sizeof(n_bytes));
        *ret_n_bytes = be64toh(n_bytes);

        return true;
}
