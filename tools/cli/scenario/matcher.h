/*
 * Whether a value is as expected: docs/scenario.md, "How values match"
 *
 * Knows values only: no files, no messages.
 */

#ifndef TOOLS_CLI_SCENARIO_MATCHER_H
#define TOOLS_CLI_SCENARIO_MATCHER_H

#include "tools/cli/scenario/problems.h"

/* As many as people read; what matches or not does not depend on it. */
#define SCENARIO_MISMATCHES_MAX 16

struct scenario_mismatch {
        const char *path; /* "$.users[0].name" */
        const char *problem;
        const struct scenario_value *expected;
        const struct scenario_value *got; /* NULL: it is not there */
        struct scenario_mismatch *next;
};

/* All zero but for @arena: none. */
struct scenario_mismatches {
        /* in */
        struct pipit_arena *arena;

        /* out */
        struct scenario_mismatch *first;
        size_t n;

        /* private */
        struct scenario_mismatch *last;
};

void scenario_mismatches_add(struct scenario_mismatches *mismatches,
                             const char *path,
                             const struct scenario_value *expected,
                             const struct scenario_value *got,
                             const char *format,
                             ...) PIPIT_PRINTF(5, 6);

/*
 * Whether @got, NULL if it is not there, is as @expected, whose variables are
 * resolved. All that is not is added to @mismatches (may be NULL), below @path.
 */
bool scenario_match(const struct scenario_value *expected,
                    const struct scenario_value *got,
                    const char *path,
                    struct scenario_mismatches *mismatches);

/* Whether @value is a map of matchers: its first key begins with one $. */
bool scenario_is_matcher(const struct scenario_value *value);

/* The names of all matchers, ending with NULL. */
extern const char *const scenario_matcher_names[];

/* The number of a number, or of a text that is one: for $range and its kin. False: it is none. */
bool scenario_is_number(const struct scenario_value *value);

/* Less than, equal, or greater than 0; exact for all 64-bit integers. Both are numbers. */
int scenario_compare_numbers(const struct scenario_value *a, const struct scenario_value *b);

#endif
