/*
 * Access: who may call what, as an interceptor
 *
 * docs/wire.md, "call.access". Denials are logged.
 */

#ifndef SERVER_RUNTIME_ACCESS_H
#define SERVER_RUNTIME_ACCESS_H

#include <pipit/server.h>

void access_init(struct pipit_server_interceptor *interceptor);

#endif
