#include "tools/cli/reflection.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/status.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_limits.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "pipit/reflection/v1/reflection.pipit.h"
#include "tools/cli/error_copy.h"

/* Of what a server can make us fetch file by file. */
#define LEVELS_MAX 100
#define BYTES_MAX  ((size_t)64 * 1024 * 1024)

/* One budget of time for however many calls it takes. */
struct reflection {
        struct cli_arguments *arguments;
        struct cli_server *server;
        struct pipit_error *error;
        int64_t deadline_us;
        size_t n_bytes_left; /* of files that come one by one */
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

static enum pipit_status fail_schema(struct reflection *reflection, const char *problem)
{
        *reflection->error =
                pipit_error_make(PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "SCHEMA_INVALID", problem);
        return PIPIT_INVALID_ARGUMENT;
}

/* --- files, each with its imports or by itself --------------------------------------- */

static enum pipit_status get_set(struct reflection *reflection,
                                 const Pipit__Reflection__V1__GetDescriptorsRequest *request,
                                 const ProtobufCBinaryData **ret_set)
{
        const Pipit__Reflection__V1__GetDescriptorsResponse *response;
        enum pipit_status status = begin(reflection);

        if (status != PIPIT_OK)
                return status;

        status = end(reflection,
                     pipit_reflection_v1_get_descriptors(
                             reflection->server->channel, &reflection->call, request, &response));
        if (status == PIPIT_OK)
                *ret_set = &response->file_descriptor_set;
        return status;
}

static enum pipit_status add_set(struct reflection *reflection, const ProtobufCBinaryData *set)
{
        return pipit_schema_add_set(
                reflection->server->schema, set->data, set->len, reflection->error);
}

static bool is_known(const struct reflection *reflection, const char *name)
{
        const struct pipit_file *file;

        for (size_t i = 0; (file = pipit_schema_file(reflection->server->schema, i)); i++) {
                if (strcmp(file->name, name) == 0)
                        return true;
        }

        return false;
}

/* In the arena: the response goes with the next call. NULL: the error says why. */
static const Google__Protobuf__FileDescriptorSet *unpack_set(struct reflection *reflection,
                                                             const ProtobufCBinaryData *set)
{
        const ProtobufCMessageDescriptor *descriptor =
                &google__protobuf__file_descriptor_set__descriptor;
        struct pipit_wire_report report;
        const ProtobufCMessage *files;

        if (!pipit_wire_check(descriptor, set->data, set->len, &pipit_schema_limits, &report)) {
                (void)fail_schema(reflection, report.problem);
                return NULL;
        }

        files = pipit_message_unpack(
                descriptor, &reflection->arguments->arena, set->data, set->len);
        if (!files)
                (void)fail_out_of_memory(reflection);
        return (const Google__Protobuf__FileDescriptorSet *)files;
}

static enum pipit_status add_by_itself(struct reflection *reflection,
                                       Pipit__Reflection__V1__GetDescriptorsRequest *request,
                                       unsigned level);

static enum pipit_status add_imports(struct reflection *reflection,
                                     const Google__Protobuf__FileDescriptorProto *file,
                                     unsigned level)
{
        enum pipit_status status = PIPIT_OK;

        for (size_t i = 0; status == PIPIT_OK && i < file->n_dependency; i++) {
                Pipit__Reflection__V1__GetDescriptorsRequest request =
                        PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__INIT;

                if (is_known(reflection, file->dependency[i]))
                        continue;
                request.what_case = PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__WHAT_FILE;
                request.file = file->dependency[i];
                status = add_by_itself(reflection, &request, level + 1);
        }

        return status;
}

/* The file that @request asks for, behind those that it imports. */
static enum pipit_status add_by_itself(struct reflection *reflection,
                                       Pipit__Reflection__V1__GetDescriptorsRequest *request,
                                       unsigned level)
{
        const Google__Protobuf__FileDescriptorSet *files;
        const ProtobufCBinaryData *received;
        enum pipit_status status;
        ProtobufCBinaryData set;

        if (level > LEVELS_MAX)
                return fail_schema(reflection, "the server's files import each other too deep");

        request->without_imports = true;
        status = get_set(reflection, request, &received);
        if (status != PIPIT_OK)
                return status;
        if (received->len > reflection->n_bytes_left)
                return fail_schema(reflection, "the server's files are too large");

        reflection->n_bytes_left -= received->len;
        set.len = received->len;
        set.data = pipit_arena_memdup(&reflection->arguments->arena, received->data, set.len);
        if (!set.data)
                return fail_out_of_memory(reflection);
        files = unpack_set(reflection, &set);
        if (!files)
                return reflection->error->status;

        for (size_t i = 0; status == PIPIT_OK && i < files->n_file; i++)
                status = add_imports(reflection, files->file[i], level);
        return status == PIPIT_OK ? add_set(reflection, &set) : status;
}

static bool is_too_large(const struct pipit_error *error)
{
        return error->status == PIPIT_RESOURCE_EXHAUSTED && error->reason &&
               strcmp(error->reason, "RESPONSE_TOO_LARGE") == 0;
}

static enum pipit_status add_service(struct reflection *reflection, const char *name)
{
        Pipit__Reflection__V1__GetDescriptorsRequest request =
                PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__INIT;
        const ProtobufCBinaryData *set;
        enum pipit_status status;

        request.what_case = PIPIT__REFLECTION__V1__GET_DESCRIPTORS_REQUEST__WHAT_SYMBOL;
        request.symbol = pipit_arena_strdup(&reflection->arguments->arena, name);
        if (!request.symbol)
                return fail_out_of_memory(reflection);

        status = get_set(reflection, &request, &set);
        if (status == PIPIT_OK)
                return add_set(reflection, set);

        return is_too_large(reflection->error) ? add_by_itself(reflection, &request, 1) : status;
}

/* --- services ------------------------------------------------------------------------ */

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
                .n_bytes_left = BYTES_MAX,
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
