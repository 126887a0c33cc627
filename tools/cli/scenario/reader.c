#include "tools/cli/scenario/reader.h"

#include <stdlib.h>
#include <string.h>

static bool ends_in_json(const char *file)
{
        size_t n = strlen(file);

        return n > 5 && strcmp(file + n - 5, ".json") == 0;
}

/* "LINE:COLUMN: TEXT", as core/json tells what is wrong with a text. */
static void add_json_problem(struct scenario_problems *problems,
                             const char *file,
                             const char *message)
{
        struct scenario_place place = {.file = file};
        char *end;

        place.line = strtoul(message, &end, 10);
        if (*end == ':')
                place.column = strtoul(end + 1, &end, 10);
        if (strncmp(end, ": ", 2) == 0)
                message = end + 2;

        scenario_problems_add(problems, &place, "%s", message);
}

struct scenario_value *scenario_read(const char *file,
                                     const char *text,
                                     size_t n_bytes,
                                     struct pipit_arena *arena,
                                     struct scenario_problems *problems)
{
        struct scenario_value *value;
        struct pipit_error error = {0};

        if (!ends_in_json(file))
                return scenario_read_yaml(file, text, n_bytes, arena, problems);
        if (scenario_value_parse(text, n_bytes, file, arena, &value, &error) == PIPIT_OK)
                return value;

        add_json_problem(problems, file, error.message);
        return NULL;
}
