/*
 * The services that pipit knows: those built in, and those of descriptor sets
 */

#ifndef TOOLS_CLI_CATALOGUE_H
#define TOOLS_CLI_CATALOGUE_H

#include "core/json/schema.h"
#include "tools/cli/options.h"

/* NULL: it said on stderr what is wrong. */
struct pipit_schema *cli_catalogue_new(struct cli_arguments *arguments);

#endif
