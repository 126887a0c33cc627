/*
 * Scenario files as structs: docs/scenario.md, "The file"
 *
 * Made from values by scenario_file_new(), which knows every key and its type,
 * and nothing of schemas; then checked against one (check.h), run (runner.h).
 * All of it lives in one arena, its texts with variables still in them.
 */

#ifndef TOOLS_CLI_SCENARIO_MODEL_H
#define TOOLS_CLI_SCENARIO_MODEL_H

#include <pipit/service.h>
#include <stdint.h>

#include "tools/cli/scenario/path.h"
#include "tools/cli/scenario/problems.h"

#define SCENARIO_PARALLEL_MAX 1000
#define SCENARIO_REPEAT_MAX   100000

/* What a file, a scenario and a step may say; the inner goes before the outer. */
struct scenario_settings {
        const struct scenario_value *target;   /* a text; NULL: not said */
        const struct scenario_value *metadata; /* a map; NULL: none */
        uint32_t timeout_ms;                   /* 0: not said */
        bool has_wait_for_ready;
        bool wait_for_ready;
};

/* What a reply has to look like. */
struct scenario_outcome {
        struct scenario_value *expected; /* a map, matched against the reply */
        bool has_times;
        size_t n_times;
        struct scenario_place place;
        struct scenario_outcome *next;
};

struct scenario_capture {
        const char *name;
        const char *text; /* of the path */
        struct scenario_path path;
        struct scenario_place place; /* of the path */
        struct scenario_capture *next;
};

struct scenario_step {
        const char *name; /* NULL: none */
        struct scenario_settings settings;
        const struct scenario_value *call;
        const struct scenario_value *request; /* NULL: {} */
        size_t n_parallel;                    /* 0: not said, 1 */
        size_t n_repeat;                      /* the same */
        uint32_t every_ms;
        struct scenario_outcome *until; /* NULL: none */
        struct scenario_outcome *outcomes;
        struct scenario_capture *captures;
        struct scenario_place place;

        const struct pipit_method *method; /* set by check */

        struct scenario_step *next;
};

struct scenario {
        const char *name;
        struct scenario_settings settings;
        const struct scenario_value *variables; /* NULL: none */
        bool goes_on;                           /* after a step that failed */
        struct scenario_step *steps;
        struct scenario_step *cleanup;
        struct scenario_place place;
        bool is_chosen; /* by --only; set by who runs */
        struct scenario *next;
};

struct scenario_file {
        const char *name;
        struct scenario_settings settings;
        const struct scenario_value *variables;
        struct scenario_step *setup;
        struct scenario *scenarios;
        struct scenario_step *cleanup;
        struct scenario_file *next; /* set by who reads several */
};

/* NULL, or @problems grew: the file is wrong. */
struct scenario_file *scenario_file_new(const char *name,
                                        struct scenario_value *value,
                                        struct pipit_arena *arena,
                                        struct scenario_problems *problems);

#endif
