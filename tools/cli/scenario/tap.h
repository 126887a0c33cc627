/*
 * Results as TAP 14
 */

#ifndef TOOLS_CLI_SCENARIO_TAP_H
#define TOOLS_CLI_SCENARIO_TAP_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/cli/scenario/failures.h"

/* All zero but for "in": nothing was printed. */
struct scenario_tap {
        /* in */
        FILE *file;

        /* out */
        size_t n_passed;
        size_t n_failed;
        bool is_broken; /* what was printed cannot be written: nobody will know the rest */
};

/* The version, and how many points will follow. */
void scenario_tap_begin(struct scenario_tap *tap, size_t n_points);

/* "# TEXT". */
void scenario_tap_comment(struct scenario_tap *tap, const char *text);

/* A point: ok if there are no @failures, else not ok with all of them. */
void scenario_tap_point(struct scenario_tap *tap,
                        const char *name,
                        const struct scenario_failures *failures);

/* "Bail out!": the points that are missing will not come. */
void scenario_tap_bail_out(struct scenario_tap *tap, const char *why);

/* "N passed, N failed". */
void scenario_tap_end(struct scenario_tap *tap);

#endif
