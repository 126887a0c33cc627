/*
 * Health: grpc.health.v1.Health, which every server answers to everybody
 */

#ifndef SERVER_RUNTIME_HEALTH_H
#define SERVER_RUNTIME_HEALTH_H

#include <pipit/server.h>

/* Adds it. RESOURCE_EXHAUSTED: out of memory. */
PIPIT_MUST_CHECK enum pipit_status health_register(struct pipit_server *server);

/* --- what it asks the server ----------------------------------------------- */

bool server_is_draining(const struct pipit_server *server);
bool server_has_service(const struct pipit_server *server, const char *name);

#endif
