#include "client/sp_message.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

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
        uint32_t wire_id = htobe32(id);

        message->id = id;
        message->at = SP_HEAD_BYTES_MAX - pipit_sp_head_bytes(framing);
        memcpy(message->bytes + SP_HEAD_BYTES_MAX, &wire_id, sizeof(wire_id));
        (void)pipit_sp_head_write(
                message->bytes + SP_HEAD_BYTES_MAX, framing, SP_ID_BYTES + message->n_bytes);
}

struct sp_message *sp_message_new_greeting(void)
{
        struct sp_message *message = sp_message_new(0);

        if (!message)
                return NULL;
        memcpy(message->bytes, pipit_sp_greeting_of_client, SP_GREETING_BYTES);
        message->at = 0;
        message->end = SP_GREETING_BYTES;

        return message;
}
