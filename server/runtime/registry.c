#include "server/runtime/registry.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

/* The names are the services', not the peers', so nobody can choose collisions. */
static size_t name_hash(const char *name)
{
        uint64_t hash = pipit_hash_string(PIPIT_HASH_BEGIN, name);

        return (size_t)(hash ^ hash >> 32);
}

enum pipit_status registry_add(struct registry *registry, const struct registry_service *service)
{
        const char *name = service->service->name;
        struct registry_service *services;

        if (registry_has_service(registry, name, strlen(name)))
                return PIPIT_ALREADY_EXISTS;

        services = realloc(registry->services, (registry->n_services + 1) * sizeof(*services));
        if (!services)
                return PIPIT_RESOURCE_EXHAUSTED;
        registry->services = services;
        services[registry->n_services++] = *service;

        return PIPIT_OK;
}

static void route_put(struct registry *registry, const struct route *route)
{
        size_t slot = name_hash(route->method->name) & (registry->n_slots - 1);

        while (registry->routes[slot].method)
                slot = (slot + 1) & (registry->n_slots - 1);
        registry->routes[slot] = *route;
}

static void service_put(struct registry *registry, const struct registry_service *service)
{
        for (size_t i = 0; i < service->service->n_methods; ++i) {
                pipit_server_dispatch_fn dispatch = service->dispatch[i];
                bool implemented =
                        dispatch && dispatch(service->handlers, service->self, NULL, NULL);
                const struct route route = {
                        .method = &service->service->methods[i],
                        .index = registry->n_methods++,
                        .dispatch = implemented ? dispatch : NULL,
                        .handlers = service->handlers,
                        .self = service->self,
                        .blocks = service->blocks && service->blocks[i],
                        .while_draining = service->while_draining,
                };

                route_put(registry, &route);
        }
}

enum pipit_status registry_seal(struct registry *registry)
{
        size_t n_methods = 0;
        size_t n_slots = 16;

        for (size_t i = 0; i < registry->n_services; ++i)
                n_methods += registry->services[i].service->n_methods;
        while (n_slots < n_methods * 2)
                n_slots *= 2;

        registry->routes = calloc(n_slots, sizeof(*registry->routes));
        if (!registry->routes)
                return PIPIT_RESOURCE_EXHAUSTED;
        registry->n_slots = n_slots;
        for (size_t i = 0; i < registry->n_services; ++i)
                service_put(registry, &registry->services[i]);

        return PIPIT_OK;
}

const struct route *registry_find(const struct registry *registry, const char *name)
{
        size_t slot = name_hash(name) & (registry->n_slots - 1);

        while (registry->routes[slot].method) {
                if (strcmp(registry->routes[slot].method->name, name) == 0)
                        return &registry->routes[slot];
                slot = (slot + 1) & (registry->n_slots - 1);
        }

        return NULL;
}

size_t registry_n_methods(const struct registry *registry)
{
        return registry->n_methods;
}

void registry_each(const struct registry *registry, registry_visit_fn visit, void *context)
{
        for (size_t i = 0; i < registry->n_slots; ++i) {
                const struct route *route = &registry->routes[i];

                if (route->method)
                        visit(route->method->name, route->index, context);
        }
}

bool registry_has_service(const struct registry *registry, const char *name, size_t n_bytes)
{
        for (size_t i = 0; i < registry->n_services; ++i) {
                const char *have = registry->services[i].service->name;

                if (strncmp(have, name, n_bytes) == 0 && have[n_bytes] == '\0')
                        return true;
        }

        return false;
}

void registry_deinit(struct registry *registry)
{
        free(registry->routes);
        free(registry->services);
        *registry = (struct registry){};
}
