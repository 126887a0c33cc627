#include "tests/unit/scenario/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/cli/scenario/reader.h"

void sample_init(struct sample *sample)
{
        *sample = (struct sample){0};
        sample->problems.arena = &sample->arena;
}

void sample_deinit(struct sample *sample)
{
        pipit_arena_deinit(&sample->arena);
}

struct scenario_value *sample_read(struct sample *sample, const char *yaml)
{
        struct scenario_value *value =
                scenario_read_yaml("t.yaml", yaml, strlen(yaml), &sample->arena, &sample->problems);

        if (!value)
                fail_msg("%s: %s", yaml, sample_first_problem(sample));
        return value;
}

const char *sample_first_problem(struct sample *sample)
{
        const struct scenario_problem *first = sample->problems.first;

        if (!first)
                return "";
        return pipit_arena_printf(
                &sample->arena, "%zu:%zu: %s", first->place.line, first->place.column, first->text);
}

const char *sample_problem(struct sample *sample, const char *yaml)
{
        sample->problems = (struct scenario_problems){.arena = &sample->arena};
        assert_null(scenario_read_yaml(
                "t.yaml", yaml, strlen(yaml), &sample->arena, &sample->problems));
        assert_non_null(sample->problems.first);
        return sample_first_problem(sample);
}
