/*
 * Registry: the methods of a server, found by their names on the wire
 *
 * Filled before start, by one thread; read-only after it, by all.
 */

#ifndef SERVER_RUNTIME_REGISTRY_H
#define SERVER_RUNTIME_REGISTRY_H

#include <pipit/server.h>

#include "core/base/macros.h"

/* How a method is called. */
struct route {
        const struct pipit_method *method;
        size_t index;                      /* less than registry_n_methods() */
        pipit_server_dispatch_fn dispatch; /* NULL: it has no handler */
        const void *handlers;
        void *self;
        bool blocks;
        bool while_draining; /* still served then */
};

struct registry_service {
        const struct pipit_service *service;
        const pipit_server_dispatch_fn *dispatch;
        const bool *blocks;
        const void *handlers;
        void *self;
        bool while_draining;
};

/* All zero is an empty registry. */
struct registry {
        /* private */
        struct registry_service *services;
        size_t n_services;
        struct route *routes; /* open addressing; a power of two, at most half full */
        size_t n_slots;
        size_t n_methods;
};

/* ALREADY_EXISTS; RESOURCE_EXHAUSTED: out of memory. */
PIPIT_MUST_CHECK enum pipit_status registry_add(struct registry *registry,
                                                const struct registry_service *service);

/* After the last add. RESOURCE_EXHAUSTED: out of memory. */
PIPIT_MUST_CHECK enum pipit_status registry_seal(struct registry *registry);

/* The route of "package.Service/Method", or NULL. */
const struct route *registry_find(const struct registry *registry, const char *name);

/* After seal. */
size_t registry_n_methods(const struct registry *registry);

/* Visits each method's name with its route's index. After seal. */
typedef void (*registry_visit_fn)(const char *name, size_t index, void *context);
void registry_each(const struct registry *registry, registry_visit_fn visit, void *context);

/* Whether there is a service of the first @n_bytes of @name. */
bool registry_has_service(const struct registry *registry, const char *name, size_t n_bytes);

void registry_deinit(struct registry *registry);

#endif
