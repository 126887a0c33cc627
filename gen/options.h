/*
 * Options: what --pipit_opt says
 */

#ifndef GEN_OPTIONS_H
#define GEN_OPTIONS_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "gen/diagnostics.h"

struct gen_options {
        bool long_names;          /* functions carry the service's name */
        bool descriptors_only;    /* the .pipit.[ch] with the file's descriptor, nothing else */
        const char *protoc_gen_c; /* never NULL; found in PATH if it has no slash */
};

/* @parameter is "name,name=value" or NULL. What is wrong with it goes to @diagnostics. */
struct gen_options gen_options_parse(struct pipit_arena *arena,
                                     const char *parameter,
                                     struct diagnostics *diagnostics);

#endif
