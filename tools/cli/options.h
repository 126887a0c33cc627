/*
 * The command line: flags from a table, and what is left
 */

#ifndef TOOLS_CLI_OPTIONS_H
#define TOOLS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/macros.h"

/* A repeatable flag's values, in order. */
struct cli_list {
        const char **values;
        size_t n_values;
};

/* How data looks on stdout. */
enum cli_output {
        CLI_OUTPUT_DEFAULT, /* as suits the command: JSON, pretty on a terminal; or text */
        CLI_OUTPUT_JSON,    /* indented */
        CLI_OUTPUT_NDJSON,  /* a line each */
        CLI_OUTPUT_TEXT,
};

/* All flags of all commands; a command fills those that its table names. */
struct cli_options {
        bool compact;
        bool defaults;
        bool fail_fast;
        bool envelope;
        bool help;
        bool insecure_plaintext;
        bool keep_going;
        bool is_long;
        bool is_template;
        bool verbose;
        bool wait_for_ready;
        const char *as;
        const char *errors; /* "json" or "text"; NULL: by where they go */
        const char *expires;
        const char *file;
        const char *key;
        const char *known_servers;
        enum cli_output output;
        const char *data;
        const char *policy;
        uint32_t timeout_ms;
        struct cli_list descriptor_sets;
        struct cli_list includes;
        struct cli_list metadata;
        struct cli_list only;
        struct cli_list protos;
        struct cli_list roles;
        struct cli_list server_uids;
        struct cli_list sets;
        struct cli_list targets;
};

enum cli_option_type {
        CLI_FLAG,     /* bool */
        CLI_FORMAT,   /* const char *: "json" or "text" */
        CLI_OUTPUT,   /* enum cli_output */
        CLI_DURATION, /* uint32_t, milliseconds, at most PIPIT_TIMEOUT_MS_MAX */
        CLI_STRING,   /* const char * */
        CLI_LIST,     /* struct cli_list */
};

struct cli_option {
        const char *name; /* without dashes */
        char letter;      /* '\0': none */
        enum cli_option_type type;
        size_t offset; /* in struct cli_options */
        const char
                *environment; /* a variable that gives the value where the flag does not, or NULL */
        const char *placeholder; /* of its value, for help; NULL for flags */
        const char *help;
};

#define CLI_OPTION(name_, letter_, type_, member_, environment_, placeholder_, help_)              \
        {                                                                                          \
                .name = (name_), .letter = (letter_), .type = (type_),                             \
                .offset = offsetof(struct cli_options, member_), .environment = (environment_),    \
                .placeholder = (placeholder_), .help = (help_),                                    \
        }

/* Rows that commands share. */
#define CLI_OPTION_AUTHORIZED_KEYS                                                                 \
        CLI_OPTION("file",                                                                         \
                   'f',                                                                            \
                   CLI_STRING,                                                                     \
                   file,                                                                           \
                   "PIPIT_AUTHORIZED_KEYS",                                                        \
                   "FILE",                                                                         \
                   "the file (default: authorized_keys in the\n"                                   \
                   "configuration folder)")
#define CLI_OPTION_COMPACT                                                                         \
        CLI_OPTION("compact", 'c', CLI_FLAG, compact, NULL, NULL, "JSON on one line")
#define CLI_OPTION_DEFAULTS                                                                        \
        CLI_OPTION("defaults",                                                                     \
                   '\0',                                                                           \
                   CLI_FLAG,                                                                       \
                   defaults,                                                                       \
                   NULL,                                                                           \
                   NULL,                                                                           \
                   "show fields that are empty, too")
#define CLI_OPTION_DESCRIPTOR_SET                                                                  \
        CLI_OPTION("descriptor-set",                                                               \
                   '\0',                                                                           \
                   CLI_LIST,                                                                       \
                   descriptor_sets,                                                                \
                   "PIPIT_DESCRIPTOR_SET",                                                         \
                   "FILE",                                                                         \
                   "read services from FILE, as `protoc --include_imports\n"                       \
                   "--descriptor_set_out=FILE` writes it (repeatable)")
#define CLI_OPTION_ERRORS                                                                          \
        CLI_OPTION("errors",                                                                       \
                   '\0',                                                                           \
                   CLI_FORMAT,                                                                     \
                   errors,                                                                         \
                   "PIPIT_ERRORS",                                                                 \
                   "json|text",                                                                    \
                   "how a failed call is told on stderr: a line for people,\n"                     \
                   "or google.rpc.Status as JSON (default: text on a\n"                            \
                   "terminal, else json)")
#define CLI_OPTION_HELP CLI_OPTION("help", 'h', CLI_FLAG, help, NULL, NULL, "show this")
#define CLI_OPTION_INCLUDE                                                                         \
        CLI_OPTION("include",                                                                      \
                   'I',                                                                            \
                   CLI_LIST,                                                                       \
                   includes,                                                                       \
                   NULL,                                                                           \
                   "DIR",                                                                          \
                   "where --proto looks for files and what they import, as\n"                      \
                   "protoc does (repeatable; default: the file's own folder)")
#define CLI_OPTION_INSECURE_PLAINTEXT                                                              \
        CLI_OPTION("insecure-plaintext",                                                           \
                   '\0',                                                                           \
                   CLI_FLAG,                                                                       \
                   insecure_plaintext,                                                             \
                   NULL,                                                                           \
                   NULL,                                                                           \
                   "allow tcp:// without keys, to loopback addresses")
#define CLI_OPTION_KEY                                                                             \
        CLI_OPTION("key",                                                                          \
                   '\0',                                                                           \
                   CLI_STRING,                                                                     \
                   key,                                                                            \
                   "PIPIT_KEY",                                                                    \
                   "FILE",                                                                         \
                   "the secret key for tcp:// (default: id.key in the\n"                           \
                   "configuration folder; `pipit keygen` makes it)")
#define CLI_OPTION_KNOWN_SERVERS                                                                   \
        CLI_OPTION("known-servers",                                                                \
                   '\0',                                                                           \
                   CLI_STRING,                                                                     \
                   known_servers,                                                                  \
                   "PIPIT_KNOWN_SERVERS",                                                          \
                   "FILE",                                                                         \
                   "the keys of servers (default: known_servers, there;\n"                         \
                   "`pipit trust` keeps it)")
#define CLI_OPTION_SERVER_UID                                                                      \
        CLI_OPTION("server-uid",                                                                   \
                   '\0',                                                                           \
                   CLI_LIST,                                                                       \
                   server_uids,                                                                    \
                   NULL,                                                                           \
                   "UID",                                                                          \
                   "whose the server at an ipc:// socket may be\n"                                 \
                   "(repeatable; default: anybody's)")
/* Who we are, and whom we believe to be the server. */
#define CLI_OPTIONS_IDENTITY                                                                       \
        CLI_OPTION_KEY, CLI_OPTION_KNOWN_SERVERS, CLI_OPTION_SERVER_UID,                           \
                CLI_OPTION_INSECURE_PLAINTEXT
#define CLI_OPTION_METADATA                                                                        \
        CLI_OPTION("metadata",                                                                     \
                   'm',                                                                            \
                   CLI_LIST,                                                                       \
                   metadata,                                                                       \
                   NULL,                                                                           \
                   "KEY=VALUE",                                                                    \
                   "send metadata; KEY-bin=BASE64 sends bytes (repeatable)")
#define CLI_OPTION_OUTPUT                                                                          \
        CLI_OPTION("output",                                                                       \
                   'o',                                                                            \
                   CLI_OUTPUT,                                                                     \
                   output,                                                                         \
                   NULL,                                                                           \
                   "json|ndjson|text",                                                             \
                   "what goes to stdout: indented JSON, JSON on one line, or\n"                    \
                   "a line a field, as `users[0].name: Ada` (default: json\n"                      \
                   "on a terminal, else ndjson)")
/* The same for commands whose output is text by default. */
#define CLI_OPTION_OUTPUT_LIST                                                                     \
        CLI_OPTION("output",                                                                       \
                   'o',                                                                            \
                   CLI_OUTPUT,                                                                     \
                   output,                                                                         \
                   NULL,                                                                           \
                   "json|ndjson|text",                                                             \
                   "what goes to stdout (default: text)")
#define CLI_OPTION_PROTO                                                                           \
        CLI_OPTION("proto",                                                                        \
                   '\0',                                                                           \
                   CLI_LIST,                                                                       \
                   protos,                                                                         \
                   NULL,                                                                           \
                   "FILE",                                                                         \
                   "read services from a .proto file, by way of protoc\n"                          \
                   "(repeatable)")
/* Where services come from. */
#define CLI_OPTIONS_SCHEMA CLI_OPTION_PROTO, CLI_OPTION_INCLUDE, CLI_OPTION_DESCRIPTOR_SET
#define CLI_OPTION_TIMEOUT                                                                         \
        CLI_OPTION("timeout",                                                                      \
                   't',                                                                            \
                   CLI_DURATION,                                                                   \
                   timeout_ms,                                                                     \
                   "PIPIT_TIMEOUT",                                                                \
                   "DURATION",                                                                     \
                   "give up after 500ms, 2s, 1.5s ... (default 5s, at most 60s)")
#define CLI_OPTION_VERBOSE                                                                         \
        CLI_OPTION("verbose",                                                                      \
                   'v',                                                                            \
                   CLI_FLAG,                                                                       \
                   verbose,                                                                        \
                   NULL,                                                                           \
                   NULL,                                                                           \
                   "tell on stderr who answered, when, and with what metadata")
#define CLI_OPTION_WAIT_FOR_READY                                                                  \
        CLI_OPTION("wait-for-ready",                                                               \
                   'w',                                                                            \
                   CLI_FLAG,                                                                       \
                   wait_for_ready,                                                                 \
                   NULL,                                                                           \
                   NULL,                                                                           \
                   "wait for a server until the timeout, rather than fail\n"                       \
                   "at once when there is none")
#define CLI_OPTION_END                                                                             \
        {                                                                                          \
                .name = NULL                                                                       \
        }

/* What a command is run with. */
struct cli_arguments {
        const char *command;
        struct cli_options options;
        const char **positionals;
        size_t n_positionals;
        size_t next;              /* the first positional that cli_take() has not given */
        int output_errno;         /* why stdout cannot be written; 0: it can */
        struct pipit_arena arena; /* for all that lives as long as the command runs */
};

/*
 * Reads flags and positionals, in any order; after "--" all are positionals.
 * False: it said on stderr what is wrong.
 */
bool cli_arguments_parse(struct cli_arguments *arguments,
                         const struct cli_option *options,
                         int argc,
                         char **argv);

/* The next positional, or NULL. */
const char *cli_take(struct cli_arguments *arguments);

/* The next positional without taking it, or NULL. */
const char *cli_peek(const struct cli_arguments *arguments);

/* False: there are positionals left, and it said so on stderr. */
bool cli_no_more(struct cli_arguments *arguments);

/* Whether @positional, which may be NULL, can be a target: it has "://" in it. */
bool cli_is_target(const char *positional);

/* @variable, if @value is what it holds, and so came from there; else NULL. */
const char *cli_variable_of(const char *value, const char *variable);

/*
 * The target: the next positional if it is one (it has "://" in it), else
 * PIPIT_TARGET. NULL: neither, and it said so on stderr.
 */
const char *cli_take_target(struct cli_arguments *arguments);

/* "pipit: PROBLEM (see pipit help COMMAND)" on stderr. Returns CLI_USAGE. */
int cli_usage_error(const struct cli_arguments *arguments, const char *format, ...)
        PIPIT_PRINTF(2, 3);

/* The same for wrong values, where the help does not help: without the last part. */
int cli_value_error(const char *format, ...) PIPIT_PRINTF(1, 2);

#endif
