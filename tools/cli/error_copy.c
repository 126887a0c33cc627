#include "tools/cli/error_copy.h"

static const char *copy(struct pipit_arena *arena, const char *text)
{
        return text ? pipit_arena_strdup(arena, text) : NULL;
}

struct pipit_error cli_error_copy(struct pipit_arena *arena, const struct pipit_error *error)
{
        struct pipit_error result = *error;
        struct pipit_violation *violations =
                pipit_arena_alloc(arena, error->n_violations * sizeof(*violations));

        result.reason = copy(arena, error->reason);
        result.domain = copy(arena, error->domain);
        result.message = copy(arena, error->message);
        result.violations = violations;
        result.n_violations = 0;

        for (size_t i = 0; violations && i < error->n_violations; i++) {
                const char *field = copy(arena, error->violations[i].field);
                const char *description = copy(arena, error->violations[i].description);

                if (!field || !description)
                        break;
                violations[result.n_violations++] = (struct pipit_violation){field, description};
        }

        return result;
}
