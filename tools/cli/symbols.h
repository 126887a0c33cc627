/*
 * Symbols: all that the files of a schema define, by name
 *
 * What a schema keeps is made for messages; this keeps what .proto files say, as
 * protoc saw it, for those who show it.
 */

#ifndef TOOLS_CLI_SYMBOLS_H
#define TOOLS_CLI_SYMBOLS_H

#include "core/base/arena.h"
#include "core/json/schema.h"
#include "google/protobuf/descriptor.pb-c.h"

enum cli_symbol_kind {
        CLI_SYMBOL_FILE, /* named by its path */
        CLI_SYMBOL_MESSAGE,
        CLI_SYMBOL_FIELD,
        CLI_SYMBOL_ENUM,
        CLI_SYMBOL_VALUE, /* of an enum; named below it, as "users.v1.Colour.RED" */
        CLI_SYMBOL_SERVICE,
        CLI_SYMBOL_METHOD,
};

struct cli_symbol {
        enum cli_symbol_kind kind;
        const char *name; /* full, no leading dot */
        const Google__Protobuf__FileDescriptorProto *file;
        const struct cli_symbol *parent; /* NULL: it stands in the file itself */
        int32_t number;                  /* field of the parent in descriptor.proto, ... */
        int32_t index;                   /* ... and place in it: a step of a source path */
        const struct cli_symbol *next;
};

struct cli_symbols {
        struct pipit_arena *arena; /* of all that is here */
        const struct cli_symbol *first;
        struct cli_symbol **end;
};

/* All of @schema. False: out of memory. */
bool cli_symbols_init(struct cli_symbols *symbols,
                      const struct pipit_schema *schema,
                      struct pipit_arena *arena);

/*
 * By full name, with or without a leading dot, "Service/Method" too, or by the
 * end of it if only one ends so. NULL: *ret_problem tells why not, and what would
 * be right.
 */
const struct cli_symbol *cli_symbols_find(const struct cli_symbols *symbols,
                                          const char *name,
                                          const char **ret_problem);

/* By full name alone. NULL: not there. */
const struct cli_symbol *cli_symbols_get(const struct cli_symbols *symbols,
                                         const char *name,
                                         size_t n_name);

/* What a message, enum, service or method stands for in its file. */
const Google__Protobuf__DescriptorProto *cli_symbol_message(const struct cli_symbol *symbol);
const Google__Protobuf__EnumDescriptorProto *cli_symbol_enum(const struct cli_symbol *symbol);
const Google__Protobuf__ServiceDescriptorProto *cli_symbol_service(const struct cli_symbol *symbol);
const Google__Protobuf__MethodDescriptorProto *cli_symbol_method(const struct cli_symbol *symbol);

/*
 * The shortest way to write @type (full, with its leading dot) inside @scope (a
 * full name, or "") that means it by protobuf's rules of scope. Never NULL: what
 * memory does not suffice for is written in full.
 */
const char *cli_symbols_relative(const struct cli_symbols *symbols,
                                 const char *scope,
                                 const char *type);

#endif
