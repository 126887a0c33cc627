/*
 * What is wrong with scenario files: all of it, not only the first
 */

#ifndef TOOLS_CLI_SCENARIO_PROBLEMS_H
#define TOOLS_CLI_SCENARIO_PROBLEMS_H

#include <stdio.h>

#include "core/base/macros.h"
#include "tools/cli/scenario/value.h"

struct scenario_problem {
        struct scenario_place place;
        const char *text;
        struct scenario_problem *next;
};

/* All zero but for @arena: none. */
struct scenario_problems {
        /* in */
        struct pipit_arena *arena;

        /* out */
        struct scenario_problem *first; /* by file in the order they were read, line and column */
        size_t n;
        bool out_of_memory; /* one that could not be kept */
};

/* Keeps one; the same text at the same place is kept once. */
void scenario_problems_add(struct scenario_problems *problems,
                           const struct scenario_place *place,
                           const char *format,
                           ...) PIPIT_PRINTF(3, 4);

/* "there is no key 'nmae' in a step; did you mean name?": @names end with NULL. */
void scenario_problems_add_unknown(struct scenario_problems *problems,
                                   const struct scenario_place *place,
                                   const char *what,
                                   const char *name,
                                   const char *where,
                                   const char *const *names);

bool scenario_problems_any(const struct scenario_problems *problems);

/* A line each, as "pipit: FILE:LINE:COLUMN: TEXT". */
void scenario_problems_print(const struct scenario_problems *problems, FILE *file);

#endif
