#include "tools/cli/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/json/input.h"
#include "grpc/health/v1/health.pipit.h"
#include "pipit/reflection/v1/reflection.pipit.h"
#include "pipit/v1/admin.pipit.h"
#include "tools/cli/command.h"
#include "tools/cli/protoc.h"
#include "users/v1/users.pipit.h"

static const struct pipit_file *const built_in[] = {
        &users_v1_users_proto,
        &grpc_health_v1_health_proto,
        &pipit_v1_admin_proto,
        &pipit_reflection_v1_reflection_proto,
};

bool cli_catalogue_has_files(const struct cli_arguments *arguments)
{
        return arguments->options.descriptor_sets.n_values > 0 ||
               arguments->options.protos.n_values > 0;
}

static int add_set(struct pipit_schema *schema,
                   const char *origin,
                   const uint8_t *bytes,
                   size_t n_bytes)
{
        struct pipit_error error = {.status = PIPIT_OK};

        if (pipit_schema_add_set(schema, bytes, n_bytes, &error) != PIPIT_OK)
                return cli_value_error("%s: %s", origin, error.message);

        return CLI_OK;
}

static int add_file(struct pipit_schema *schema, struct cli_arguments *arguments, const char *path)
{
        struct pipit_error error = {.status = PIPIT_OK};
        char *bytes = NULL;
        size_t n_bytes = 0;
        const char *variable = cli_variable_of(path, "PIPIT_DESCRIPTOR_SET");
        const char *origin = variable ? "PIPIT_DESCRIPTOR_SET: " : "";
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return cli_value_error("%scannot read %s: %s", origin, path, strerror(errno));

        enum pipit_status status = pipit_json_input(
                fd, path, PIPIT_JSON_INPUT_BYTES_MAX, &arguments->arena, &bytes, &n_bytes, &error);

        (void)close(fd);
        if (status != PIPIT_OK)
                return cli_value_error("%s%s", origin, error.message);

        path = pipit_arena_printf(&arguments->arena, "%s%s", origin, path);
        return add_set(schema, path ? path : "", (const uint8_t *)bytes, n_bytes);
}

static int add_files(struct pipit_schema *schema, struct cli_arguments *arguments)
{
        const struct cli_list *sets = &arguments->options.descriptor_sets;
        int status = CLI_OK;

        if (arguments->options.protos.n_values > 0) {
                const uint8_t *bytes;
                size_t n_bytes;

                status = cli_protoc(arguments, &bytes, &n_bytes);
                if (status == CLI_OK)
                        status = add_set(schema, "--proto", bytes, n_bytes);
        }

        for (size_t i = 0; i < sets->n_values && status == CLI_OK; i++)
                status = add_file(schema, arguments, sets->values[i]);

        return status;
}

static int add_built_in(struct pipit_schema *schema, bool may_clash)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(built_in); i++) {
                struct pipit_error error = {.status = PIPIT_OK};

                /* One that defines what a set has defined in another file stays out. */
                if (pipit_schema_add_file(schema, built_in[i], &error) != PIPIT_OK && !may_clash)
                        return cli_value_error("%s", error.message);
        }

        return CLI_OK;
}

static int list_services(struct cli_arguments *arguments, struct cli_server *server)
{
        size_t n = 0;

        while (pipit_schema_service(server->schema, n))
                n++;

        const char **names = pipit_arena_alloc(&arguments->arena, n * sizeof(*names));

        if (!names)
                return cli_value_error("out of memory");

        for (size_t i = 0; i < n; i++)
                names[i] = pipit_schema_service(server->schema, i)->name;

        server->services = (struct cli_names){.names = names, .n_names = n};
        server->n_own = n;
        return CLI_OK;
}

int cli_catalogue_fill(struct cli_arguments *arguments, struct cli_server *server)
{
        int status = add_files(server->schema, arguments);

        if (status == CLI_OK)
                status = list_services(arguments, server);
        if (status == CLI_OK)
                status = add_built_in(server->schema, cli_catalogue_has_files(arguments));
        if (status == CLI_OK && !cli_catalogue_has_files(arguments))
                status = list_services(arguments, server);

        return status;
}
