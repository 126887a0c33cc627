/*
 * .proto text of what a schema holds
 *
 * What comes out means the same to protoc as what went in, custom options and
 * what follows from the others left aside. Comments are there if the schema was
 * made with source information: from --proto, and from sets with
 * --include_source_info.
 */

#ifndef TOOLS_CLI_PROTO_TEXT_H
#define TOOLS_CLI_PROTO_TEXT_H

#include <stdio.h>

#include "tools/cli/symbols.h"

/* What stands around comments and keywords; all NULL: nothing. */
struct cli_proto_colours {
        const char *comment;
        const char *keyword;
        const char *normal;
};

/*
 * Writes @symbol: a file, message, enum or service as a whole, and of a field or
 * method the message or service with that alone in it.
 */
void cli_proto_text_write(FILE *file,
                          const struct cli_symbols *symbols,
                          const struct cli_symbol *symbol,
                          const struct cli_proto_colours *colours);

/* "// FILE", syntax and package of @symbol's file: what gives the names in its text their meaning. */
void cli_proto_text_write_head(FILE *file,
                               const struct cli_symbol *symbol,
                               const struct cli_proto_colours *colours);

#endif
