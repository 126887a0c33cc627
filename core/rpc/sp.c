#include "core/rpc/sp.h"

#include <endian.h>
#include <string.h>

/* Of ipc, before the length: a message follows. There is nothing else. */
#define IPC_MESSAGE 1

const uint8_t pipit_sp_greeting_of_client[SP_GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
const uint8_t pipit_sp_greeting_of_server[SP_GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

bool pipit_sp_head_read(const uint8_t *bytes, enum sp_framing framing, uint64_t *ret_n_bytes)
{
        uint64_t n_bytes;

        if (framing == SP_IPC && *bytes++ != IPC_MESSAGE)
                return false;
        memcpy(&n_bytes, bytes, sizeof(n_bytes));
        *ret_n_bytes = be64toh(n_bytes);

        return true;
}

uint8_t *pipit_sp_head_write(uint8_t *bytes, enum sp_framing framing, uint64_t n_bytes)
{
        uint64_t wire_n_bytes = htobe64(n_bytes);

        bytes -= sizeof(wire_n_bytes);
        memcpy(bytes, &wire_n_bytes, sizeof(wire_n_bytes));
        if (framing == SP_IPC)
                *--bytes = IPC_MESSAGE;

        return bytes;
}
