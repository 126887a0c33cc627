/*
 * Data on stdout: JSON of any kind, as --output says
 */

#ifndef TOOLS_CLI_OUTPUT_H
#define TOOLS_CLI_OUTPUT_H

#include "core/json/json.h"
#include "core/json/writer.h"
#include "tools/cli/options.h"

/* How the JSON of a message has to be made for cli_print_data(). */
struct pipit_json_style cli_output_style(const struct cli_arguments *arguments);

/*
 * @json, made in that style, in colours where that helps, or as text: a line a
 * leaf, "users[0].name: Ada". All or nothing of it is printed. Returns an exit code.
 */
int cli_print_data(const struct cli_arguments *arguments, const char *json);

/* @value as it is, into @writer: JSON in another layout. */
struct pipit_json_value;
void cli_rewrite(struct pipit_json_writer *writer, const struct pipit_json_value *value);

/*
 * Writes out what stdout holds back. False: it cannot be written, nothing that
 * follows can, and output_errno tells why.
 */
bool cli_flush(struct cli_arguments *arguments);

#endif
