/*
 * Inside cli_proto_text_write(): what its parts share
 */

#ifndef TOOLS_CLI_PROTO_OUTPUT_H
#define TOOLS_CLI_PROTO_OUTPUT_H

#include "tools/cli/proto_text.h"

/* Messages nest 32 deep at most, as their bytes were checked. */
#define PROTO_PATH_MAX 80

struct proto_output {
        FILE *file;
        const struct cli_symbols *symbols;
        const struct cli_proto_colours *colours;
        const Google__Protobuf__FileDescriptorProto *proto;
        const char *scope;             /* full name of what is being written, for names in it */
        const struct cli_symbol *only; /* the one field or method that is wanted; NULL: all */
        unsigned level;
        int32_t path[PROTO_PATH_MAX]; /* in the file: where comments are found */
        size_t n_path;
};

void proto_indent(struct proto_output *output);
void proto_keyword(struct proto_output *output, const char *keyword);

/* "KEYWORD NAME {", and what follows is indented until the block is closed. */
void proto_open_block(struct proto_output *output, const char *keyword, const char *name);
void proto_close_block(struct proto_output *output);

/* Down to and up from element @index of field @number of descriptor.proto: where comments are looked for. */
void proto_push(struct proto_output *output, int32_t number, size_t index);
void proto_pop(struct proto_output *output);
void proto_leading_comments(struct proto_output *output);

/* On lines of their own: protoc attaches them to what stands before. */
void proto_trailing_comments(struct proto_output *output);

/* A string literal. Bytes defaults come escaped from protoc: @is_escaped. */
void proto_string(struct proto_output *output, const char *text, bool is_escaped);

/* Whether any of @options, which may be NULL, can be written. */
bool proto_has_options(const ProtobufCMessage *options);

/* "option NAME = VALUE;", a line each. */
void proto_option_lines(struct proto_output *output, const ProtobufCMessage *options);

/* " [NAME = VALUE, ...]" if there are any; @field may be NULL, its default and json_name come first. */
void proto_option_list(struct proto_output *output,
                       const Google__Protobuf__FieldDescriptorProto *field,
                       const ProtobufCMessage *options);

/* Whether a field or method of that name is to be written: all are, or one only. */
bool proto_is_wanted(const struct proto_output *output, const char *name);

void proto_message(struct proto_output *output, const Google__Protobuf__DescriptorProto *message);
void proto_enum(struct proto_output *output, const Google__Protobuf__EnumDescriptorProto *proto);
void proto_extensions(struct proto_output *output,
                      Google__Protobuf__FieldDescriptorProto *const *fields,
                      size_t n_fields,
                      int32_t number);

#endif
