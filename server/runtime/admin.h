/*
 * Admin: pipit.v1.Admin, by which a server tells about itself
 */

#ifndef SERVER_RUNTIME_ADMIN_H
#define SERVER_RUNTIME_ADMIN_H

#include <pipit/server.h>

/* Adds it. RESOURCE_EXHAUSTED: out of memory. */
PIPIT_MUST_CHECK enum pipit_status admin_register(struct pipit_server *server);

#endif
