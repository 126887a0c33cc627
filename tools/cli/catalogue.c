#include "tools/cli/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/json/input.h"
#include "grpc/health/v1/health.pipit.h"
#include "users/v1/users.pipit.h"

static const struct pipit_file *const built_in[] = {
        &users_v1_users_proto,
        &grpc_health_v1_health_proto,
};

static bool add_file(struct pipit_schema *schema, struct cli_arguments *arguments, const char *path)
{
        struct pipit_error error = {0};
        char *bytes = NULL;
        size_t n_bytes = 0;
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0) {
                (void)cli_value_error("cannot read %s: %s", path, strerror(errno));
                return false;
        }

        enum pipit_status status = pipit_json_input(
                fd, path, PIPIT_JSON_INPUT_BYTES_MAX, &arguments->arena, &bytes, &n_bytes, &error);

        (void)close(fd);
        if (status == PIPIT_OK) {
                status = pipit_schema_add_set(schema, (const uint8_t *)bytes, n_bytes, &error);
                if (status == PIPIT_OK)
                        return true;
                (void)cli_value_error("%s: %s", path, error.message);
        } else {
                (void)cli_value_error("%s", error.message);
        }

        return false;
}

/* Sets first: a newer users.proto in one of them goes before the one built in. */
static bool add_all(struct pipit_schema *schema, struct cli_arguments *arguments)
{
        const struct cli_list *sets = &arguments->options.descriptor_sets;

        for (size_t i = 0; i < sets->n_values; i++) {
                if (!add_file(schema, arguments, sets->values[i]))
                        return false;
        }

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(built_in); i++) {
                struct pipit_error error = {0};

                /* One that defines what a set has defined in another file stays out. */
                if (pipit_schema_add_file(schema, built_in[i], &error) != PIPIT_OK &&
                    sets->n_values == 0) {
                        (void)cli_value_error("%s", error.message);
                        return false;
                }
        }

        return true;
}

struct pipit_schema *cli_catalogue_new(struct cli_arguments *arguments)
{
        struct pipit_schema *schema = pipit_schema_new();

        if (!schema) {
                (void)cli_value_error("out of memory");
                return NULL;
        }

        return add_all(schema, arguments) ? schema : pipit_schema_free(schema);
}
