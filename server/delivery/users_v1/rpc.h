/*
 * The RPC door of users.v1: its handlers on a Pipit server
 */

#ifndef SERVER_DELIVERY_USERS_V1_RPC_H
#define SERVER_DELIVERY_USERS_V1_RPC_H

#include <pipit/server.h>

#include "core/users/ports.h"

/*
 * Registers users.v1.UsersService on @server, before its start. All handlers
 * are inline: the use cases do not block. @ports is borrowed until the server
 * is freed.
 */
PIPIT_MUST_CHECK enum pipit_status users_v1_rpc_register(struct pipit_server *server,
                                                         const struct users_ports *ports);

#endif
