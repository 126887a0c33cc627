/*
 * .proto files -> a descriptor set, by protoc as a child process
 */

#ifndef TOOLS_CLI_PROTOC_H
#define TOOLS_CLI_PROTOC_H

#include <stddef.h>
#include <stdint.h>

#include "tools/cli/options.h"

/*
 * Compiles --proto with the folders of --include; without any, a file's own
 * folder is one. The set holds all imports and the comments, and lives in the
 * arguments' arena. What protoc says of the files, FILE:LINE:COLUMN: ..., it says
 * on our stderr. Returns an exit code.
 */
int cli_protoc(struct cli_arguments *arguments, const uint8_t **ret_set, size_t *ret_n_bytes);

#endif
