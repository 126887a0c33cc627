/*
 * Reflection: pipit.reflection.v1.ReflectionService, for clients that have no
 * .proto at hand
 *
 * What is known is found out before the server starts; each answer about types is put
 * together, when it is asked for, from the files that generated code embeds.
 */

#ifndef SERVER_RUNTIME_REFLECTION_H
#define SERVER_RUNTIME_REFLECTION_H

#include <pipit/server.h>

#include "server/runtime/registry.h"

struct reflection;

/* NULL: out of memory. */
struct reflection *reflection_new(void);
struct reflection *reflection_free(struct reflection *reflection);

/* Adds the service. ALREADY_EXISTS; RESOURCE_EXHAUSTED: out of memory. */
PIPIT_MUST_CHECK enum pipit_status reflection_register(struct reflection *reflection,
                                                       struct pipit_server *server);

/*
 * Finds out, once, what the services of @registry define. RESOURCE_EXHAUSTED:
 * out of memory. INTERNAL: a file that a service embeds is none.
 */
PIPIT_MUST_CHECK enum pipit_status reflection_seal(struct reflection *reflection,
                                                   const struct registry *registry);

#endif
