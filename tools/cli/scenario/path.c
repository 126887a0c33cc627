#include "tools/cli/scenario/path.h"

#include <stdlib.h>
#include <string.h>

static const char no_path[] = "is no path, as $, $.id or $.users[0].id";

/* One of .name, [N], ["name"], ['name']. Returns what follows it; NULL: it is none of them. */
static const char *parse_step(const char *text,
                              struct pipit_arena *arena,
                              struct scenario_path_step *step)
{
        if (*text == '.') {
                size_t n = strcspn(text + 1, ".[");

                step->key = n > 0 ? pipit_arena_strndup(arena, text + 1, n) : NULL;
                return step->key ? text + 1 + n : NULL;
        }
        if (*text++ != '[')
                return NULL;

        if (*text == '"' || *text == '\'') {
                const char *end = strchr(text + 1, *text);

                if (!end || end[1] != ']')
                        return NULL;
                step->key = pipit_arena_strndup(arena, text + 1, (size_t)(end - text - 1));
                return step->key ? end + 2 : NULL;
        }

        size_t n_sign = *text == '-' ? 1 : 0;
        size_t n = strspn(text + n_sign, "0123456789");

        if (n == 0 || n > 9 || text[n_sign + n] != ']')
                return NULL;
        step->index = strtol(text, NULL, 10);
        return text + n_sign + n + 1;
}

bool scenario_path_parse(const char *text,
                         struct pipit_arena *arena,
                         struct scenario_path *ret_path,
                         const char **ret_problem)
{
        struct scenario_path path = {0};
        struct scenario_path_step **end = &path.first;

        *ret_problem = no_path;
        if (*text++ != '$')
                return false;

        while (*text) {
                struct scenario_path_step *step = pipit_arena_zalloc(arena, sizeof(*step));

                if (!step) {
                        *ret_problem = "cannot be kept: out of memory";
                        return false;
                }
                text = parse_step(text, arena, step);
                if (!text)
                        return false;
                *end = step;
                end = &step->next;
        }

        *ret_path = path;
        return true;
}

static const struct scenario_value *element(const struct scenario_value *array, long index)
{
        const struct scenario_value *child;

        if (array->type != PIPIT_JSON_ARRAY)
                return NULL;
        if (index < 0)
                index += (long)array->n_children;
        if (index < 0)
                return NULL;

        for (child = array->first; child && index > 0; child = child->next)
                index--;

        return child;
}

const struct scenario_value *scenario_path_get(const struct scenario_path *path,
                                               const struct scenario_value *value)
{
        for (const struct scenario_path_step *step = path->first; step && value; step = step->next)
                value = step->key ? scenario_value_member(value, step->key)
                                  : element(value, step->index);

        return value;
}
