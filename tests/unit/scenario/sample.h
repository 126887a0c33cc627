/*
 * What the tests of scenarios read: values written as YAML
 */

#ifndef TESTS_UNIT_SCENARIO_SAMPLE_H
#define TESTS_UNIT_SCENARIO_SAMPLE_H

#include "tools/cli/scenario/problems.h"

/* All zero: empty. */
struct sample {
        struct pipit_arena arena;
        struct scenario_problems problems;
};

void sample_init(struct sample *sample);
void sample_deinit(struct sample *sample);

/* What @yaml holds; fails the test if it is wrong. */
struct scenario_value *sample_read(struct sample *sample, const char *yaml);

/* The first problem of @yaml as "LINE:COLUMN: TEXT"; fails the test if there is none. */
const char *sample_problem(struct sample *sample, const char *yaml);

/* The first problem so far, in the same form, or "". */
const char *sample_first_problem(struct sample *sample);

#endif
