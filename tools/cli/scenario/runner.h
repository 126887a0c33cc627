/*
 * Runs scenarios that were checked, and tells how they went
 */

#ifndef TOOLS_CLI_SCENARIO_RUNNER_H
#define TOOLS_CLI_SCENARIO_RUNNER_H

#include "tools/cli/scenario/round.h"
#include "tools/cli/scenario/tap.h"

/* All zero but for "in": nothing ran. */
struct scenario_runner {
        /* in */
        struct scenario_calls calls;            /* of this file */
        const struct scenario_scope *overrides; /* of --set; is_run */
        struct scenario_tap *tap;
        bool fails_fast;
};

/* How many points the file will have: its chosen scenarios, setup and cleanup. */
size_t scenario_runner_n_points(const struct scenario_file *file);

/*
 * A point each. False: fails_fast, and one failed, or there was an interrupt; the points
 * that are left were not printed.
 */
bool scenario_runner_run(struct scenario_runner *runner, const struct scenario_file *file);

#endif
