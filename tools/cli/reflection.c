#include "tools/cli/reflection.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/status.h"
#include "core/rpc/wire_limits.h"
#include "pipit/reflection/v1/reflection.pipit.h"
#include "tools/cli/error_copy.h"

/* One budget of time for however many calls it takes. */
struct reflection {
        struct cli_arguments *arguments;
        struct cli_server *server;
        struct pipit_error *error;
        int64_t deadline_us;
        struct pipit_call call;
};

static enum pipit_status fail_out_of_memory(struct reflection *reflection)
{
        *reflection->error = pipit_error_make(
                PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "OUT_OF_MEMORY", "out of memory");
        return PIPIT_RESOURCE_EXHAUSTED;
}

static bool add_metadata(struct reflection *reflection)
{
        const struct cli_server *server = reflection->server;

        for (size_t i = 0; i < server->n_metadata; i++) {
                if (pipit_call_add_metadata(&reflection->call,
                                            server->metadata[i].key,
                                            server->metadata[i].value,
                                            server->metadata[i].n_value_bytes) != PIPIT_OK)
                        return false;
        }

        return true;
}

/* A server may want metadata from those who ask what it serves, too. */
static enum pipit_status begin(struct reflection *reflection)
{
        int64_t left_ms = (reflection->deadline_us - pipit_clock_now_us()) / PIPIT_US_PER_MS;

        pipit_call_reset(&reflection->call);
        reflection->call.timeout_ms = left_ms > 1 ? (uint32_t)left_ms : 1;
        if (add_metadata(reflection))
                return PIPIT_OK;

        return fail_out_of_memory(reflection);
}

static enum pipit_status end(struct reflection *reflection, enum pipit_status status)
{
        if (status != PIPIT_OK)
                *reflection->error = cli_error_copy(&reflection->arguments->arena,
                                                    pipit_call_error(&reflection->call));

        return status;
}

static enum pipit_status add_service(struct reflection *reflection, const char *name)
{
        Pipit__Reflection__V1__GetDescriptorsRequest request =
                PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__INIT;
        const Pipit__Reflection__V1__GetDescriptorsResponse *response;
        enum pipit_status status = begin(reflection);

        if (status != PIPIT_OK)
                return status;

        request.symbol = pipit_arena_strdup(&reflection->arguments->arena, name);
        if (!request.symbol)
                return fail_out_of_memory(reflection);
        status = end(reflection,
                     pipit_reflection_v1_get_descriptors(
                             reflection->server->channel, &reflection->call, &request, &response));
        if (status != PIPIT_OK)
                return status;

        return pipit_schema_add_set(reflection->server->schema,
                                    response->file_descriptor_set.data,
                                    response->file_descriptor_set.len,
                                    reflection->error);
}

/* The names that it serves, in the arguments' arena: the response goes with the next call. */
static bool copy_names(struct reflection *reflection,
                       const Pipit__Reflection__V1__ListServicesResponse *response,
                       struct cli_names *ret_names)
{
        struct pipit_arena *arena = &reflection->arguments->arena;
        const char **names = pipit_arena_alloc(arena, response->n_services * sizeof(*names));

        if (!names)
                return false;

        for (size_t i = 0; i < response->n_services; i++) {
                names[i] = pipit_arena_strdup(arena, response->services[i]->name);
                if (!names[i])
                        return false;
        }

        *ret_names = (struct cli_names){.names = names, .n_names = response->n_services};
        return true;
}

static enum pipit_status list_services(struct reflection *reflection, struct cli_names *ret_names)
{
        Pipit__Reflection__V1__ListServicesRequest request =
                PIPIT__REFLECTION__V1__LIST_SERVICES_REQUEST__INIT;
        const Pipit__Reflection__V1__ListServicesResponse *response;
        enum pipit_status status = begin(reflection);

        if (status != PIPIT_OK)
                return status;

        reflection->call.wait_for_ready = reflection->arguments->options.wait_for_ready;
        status = end(reflection,
                     pipit_reflection_v1_list_services(
                             reflection->server->channel, &reflection->call, &request, &response));
        if (status == PIPIT_OK && !copy_names(reflection, response, ret_names))
                return fail_out_of_memory(reflection);

        return status;
}

enum pipit_status cli_reflect(struct cli_arguments *arguments,
                              struct cli_server *server,
                              struct pipit_error *ret_error)
{
        uint32_t timeout_ms = arguments->options.timeout_ms;
        struct reflection reflection = {
                .arguments = arguments,
                .server = server,
                .error = ret_error,
                .deadline_us =
                        pipit_clock_now_us() +
                        PIPIT_US_PER_MS * (timeout_ms > 0 ? timeout_ms : PIPIT_TIMEOUT_MS_DEFAULT),
        };
        struct cli_names names;
        enum pipit_status status = list_services(&reflection, &names);

        for (size_t i = 0; status == PIPIT_OK && i < names.n_names; i++)
                status = add_service(&reflection, names.names[i]);

        if (status == PIPIT_OK)
                server->services = names;
        pipit_call_deinit(&reflection.call);
        return status;
}
