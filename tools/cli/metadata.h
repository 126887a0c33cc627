/*
 * What --metadata KEY=VALUE says
 */

#ifndef TOOLS_CLI_METADATA_H
#define TOOLS_CLI_METADATA_H

#include <pipit/service.h>

#include "tools/cli/options.h"

/*
 * All of --metadata, in the arguments' arena. As in gRPC, the value of a key
 * that ends in "-bin" is bytes, written as base64. Returns an exit code; it told
 * what is wrong.
 */
int cli_metadata_read(struct cli_arguments *arguments,
                      const struct pipit_metadata **ret_metadata,
                      size_t *ret_n_metadata);

/* Whether the value of @entry can be shown as text: UTF-8 without control characters, no "-bin". */
bool cli_metadata_is_text(const struct pipit_metadata *entry);

#endif
