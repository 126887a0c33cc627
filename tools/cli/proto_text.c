#include "tools/cli/proto_text.h"

#include <inttypes.h>
#include <string.h>

#include "tools/cli/proto_output.h"

/* --- words ----------------------------------------------------------------------- */

void proto_indent(struct proto_output *output)
{
        (void)fprintf(output->file, "%*s", (int)(2 * output->level), "");
}

static const char *or_nothing(const char *colour)
{
        return colour ? colour : "";
}

void proto_keyword(struct proto_output *output, const char *keyword)
{
        (void)fprintf(output->file,
                      "%s%s%s",
                      or_nothing(output->colours->keyword),
                      keyword,
                      or_nothing(output->colours->normal));
}

/* Whether U+0080 to U+009f begins here, which terminals obey: c2 80 to c2 9f. */
static bool is_c1(const char *text)
{
        const unsigned char *byte = (const unsigned char *)text;

        return byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0;
}

void proto_string(struct proto_output *output, const char *text, bool is_escaped)
{
        size_t n_c1 = 0; /* bytes of a C1 character that are left */

        (void)fputc('"', output->file);
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                n_c1 = is_c1(text) ? 2 : n_c1;
                if (c < 0x20 || c == 0x7f || n_c1 > 0)
                        (void)fprintf(output->file, "\\%03o", c);
                else if (!is_escaped && (c == '"' || c == '\\'))
                        (void)fprintf(output->file, "\\%c", c);
                else
                        (void)fputc(c, output->file);
                n_c1 -= n_c1 > 0;
        }
        (void)fputc('"', output->file);
}

void proto_open_block(struct proto_output *output, const char *keyword, const char *name)
{
        proto_indent(output);
        proto_keyword(output, keyword);
        (void)fprintf(output->file, " %s {\n", name);
        output->level++;
}

void proto_close_block(struct proto_output *output)
{
        output->level--;
        proto_indent(output);
        (void)fputs("}\n", output->file);
}

/* --- comments -------------------------------------------------------------------- */

void proto_push(struct proto_output *output, int32_t number, size_t index)
{
        if (output->n_path + 2 <= PROTO_PATH_MAX) {
                output->path[output->n_path] = number;
                output->path[output->n_path + 1] = (int32_t)index;
        }
        output->n_path += 2;
}

void proto_pop(struct proto_output *output)
{
        output->n_path -= 2;
}

static const Google__Protobuf__SourceCodeInfo__Location *location(const struct proto_output *output)
{
        const Google__Protobuf__SourceCodeInfo *info = output->proto->source_code_info;

        for (size_t i = 0; info && output->n_path <= PROTO_PATH_MAX && i < info->n_location; i++) {
                const Google__Protobuf__SourceCodeInfo__Location *at = info->location[i];

                if (at->n_path == output->n_path &&
                    memcmp(at->path, output->path, output->n_path * sizeof(*at->path)) == 0)
                        return at;
        }

        return NULL;
}

/* Text of unknown origin, on its way to a terminal perhaps: tabs are the only controls. */
static void write_comment(struct proto_output *output, const char *text)
{
        while (*text) {
                size_t n = strcspn(text, "\n");

                proto_indent(output);
                (void)fprintf(output->file, "%s//", or_nothing(output->colours->comment));
                for (size_t i = 0; i < n; i++) {
                        unsigned char c = (unsigned char)text[i];

                        (void)fputc((c < 0x20 && c != '\t') || c == 0x7f ? '?' : c, output->file);
                }
                (void)fprintf(output->file, "%s\n", or_nothing(output->colours->normal));
                text += text[n] ? n + 1 : n;
        }
}

void proto_leading_comments(struct proto_output *output)
{
        const Google__Protobuf__SourceCodeInfo__Location *at = location(output);

        for (size_t i = 0; at && i < at->n_leading_detached_comments; i++) {
                write_comment(output, at->leading_detached_comments[i]);
                (void)fputc('\n', output->file);
        }
        if (at && at->leading_comments)
                write_comment(output, at->leading_comments);
}

/* Behind what it belongs to, on lines of its own. */
void proto_trailing_comments(struct proto_output *output)
{
        const Google__Protobuf__SourceCodeInfo__Location *at = location(output);

        if (at && at->trailing_comments) {
                write_comment(output, at->trailing_comments);
                (void)fputc('\n', output->file);
        }
}

/* --- services -------------------------------------------------------------------- */

enum {
        FILE_MESSAGE = 4,
        FILE_ENUM = 5,
        FILE_SERVICE = 6,
        FILE_EXTENSION = 7,
        FILE_SYNTAX = 12,
        SERVICE_METHOD = 2,
};

static void write_method(struct proto_output *output,
                         const Google__Protobuf__MethodDescriptorProto *method)
{
        const ProtobufCMessage *options = method->options ? &method->options->base : NULL;

        proto_leading_comments(output);
        proto_indent(output);
        proto_keyword(output, "rpc");
        (void)fprintf(output->file,
                      " %s(%s%s) ",
                      method->name,
                      method->client_streaming ? "stream " : "",
                      cli_symbols_relative(output->symbols, output->scope, method->input_type));
        proto_keyword(output, "returns");
        (void)fprintf(output->file,
                      " (%s%s)",
                      method->server_streaming ? "stream " : "",
                      cli_symbols_relative(output->symbols, output->scope, method->output_type));

        if (proto_has_options(options)) {
                (void)fputs(" {\n", output->file);
                output->level++;
                proto_option_lines(output, options);
                proto_close_block(output);
        } else {
                (void)fputs(";\n", output->file);
        }
        proto_trailing_comments(output);
}

static void write_service(struct proto_output *output,
                          const Google__Protobuf__ServiceDescriptorProto *service)
{
        bool is_first = true;

        proto_leading_comments(output);
        proto_open_block(output, "service", service->name);
        proto_trailing_comments(output);
        if (service->options && !output->only)
                proto_option_lines(output, &service->options->base);

        for (size_t i = 0; i < service->n_method; i++) {
                if (!proto_is_wanted(output, service->method[i]->name))
                        continue;
                if (!is_first)
                        (void)fputc('\n', output->file);
                is_first = false;
                proto_push(output, SERVICE_METHOD, i);
                write_method(output, service->method[i]);
                proto_pop(output);
        }

        proto_close_block(output);
}

/* --- files ----------------------------------------------------------------------- */

static void write_imports(struct proto_output *output)
{
        const Google__Protobuf__FileDescriptorProto *file = output->proto;

        if (file->n_dependency > 0)
                (void)fputc('\n', output->file);

        for (size_t i = 0; i < file->n_dependency; i++) {
                const char *kind = "";

                for (size_t j = 0; j < file->n_public_dependency; j++) {
                        if (file->public_dependency[j] == (int32_t)i)
                                kind = "public ";
                }
                for (size_t j = 0; j < file->n_weak_dependency; j++) {
                        if (file->weak_dependency[j] == (int32_t)i)
                                kind = "weak ";
                }

                proto_keyword(output, "import");
                (void)fprintf(output->file, " %s", kind);
                proto_string(output, file->dependency[i], false);
                (void)fputs(";\n", output->file);
        }
}

static void write_package(struct proto_output *output)
{
        const Google__Protobuf__FileDescriptorProto *file = output->proto;

        proto_keyword(output, "syntax");
        (void)fputs(" = ", output->file);
        proto_string(output, file->syntax ? file->syntax : "proto2", false);
        (void)fputs(";\n", output->file);
        if (!file->package || !file->package[0])
                return;

        (void)fputc('\n', output->file);
        proto_keyword(output, "package");
        (void)fprintf(output->file, " %s;\n", file->package);
}

static void write_file_head(struct proto_output *output)
{
        const Google__Protobuf__FileDescriptorProto *file = output->proto;
        const ProtobufCMessage *options = file->options ? &file->options->base : NULL;

        output->path[0] = FILE_SYNTAX;
        output->n_path = 1;
        proto_leading_comments(output);
        output->n_path = 0;

        write_package(output);
        write_imports(output);
        if (proto_has_options(options))
                (void)fputc('\n', output->file);
        proto_option_lines(output, options);
}

static void write_file(struct proto_output *output)
{
        const Google__Protobuf__FileDescriptorProto *file = output->proto;

        write_file_head(output);
        for (size_t i = 0; i < file->n_service; i++) {
                (void)fputc('\n', output->file);
                proto_push(output, FILE_SERVICE, i);
                write_service(output, file->service[i]);
                proto_pop(output);
        }
        for (size_t i = 0; i < file->n_message_type; i++) {
                (void)fputc('\n', output->file);
                proto_push(output, FILE_MESSAGE, i);
                proto_message(output, file->message_type[i]);
                proto_pop(output);
        }
        for (size_t i = 0; i < file->n_enum_type; i++) {
                (void)fputc('\n', output->file);
                proto_push(output, FILE_ENUM, i);
                proto_enum(output, file->enum_type[i]);
                proto_pop(output);
        }
        proto_extensions(output, file->extension, file->n_extension, FILE_EXTENSION);
}

/* --- symbols --------------------------------------------------------------------- */

/* The path of @symbol, and what its parents' names are as a scope. */
static void enter(struct proto_output *output, const struct cli_symbol *symbol)
{
        if (symbol->parent) {
                enter(output, symbol->parent);
                output->scope = symbol->parent->name;
        }

        proto_push(output, symbol->number, (size_t)symbol->index);
}

void cli_proto_text_write_head(FILE *file,
                               const struct cli_symbol *symbol,
                               const struct cli_proto_colours *colours)
{
        struct proto_output output = {.file = file, .colours = colours, .proto = symbol->file};

        (void)fprintf(file,
                      "%s// %s%s\n",
                      or_nothing(colours->comment),
                      symbol->file->name,
                      or_nothing(colours->normal));
        write_package(&output);
}

void cli_proto_text_write(FILE *file,
                          const struct cli_symbols *symbols,
                          const struct cli_symbol *symbol,
                          const struct cli_proto_colours *colours)
{
        struct proto_output output = {
                .file = file,
                .symbols = symbols,
                .colours = colours,
                .proto = symbol->file,
                .scope = symbol->file->package ? symbol->file->package : "",
        };

        if (symbol->kind == CLI_SYMBOL_FIELD || symbol->kind == CLI_SYMBOL_METHOD)
                output.only = symbol;
        if (symbol->kind == CLI_SYMBOL_FIELD || symbol->kind == CLI_SYMBOL_METHOD ||
            symbol->kind == CLI_SYMBOL_VALUE)
                symbol = symbol->parent;
        if (symbol->kind != CLI_SYMBOL_FILE)
                enter(&output, symbol);

        switch (symbol->kind) {
        case CLI_SYMBOL_FILE:
                write_file(&output);
                break;
        case CLI_SYMBOL_ENUM:
                proto_enum(&output, cli_symbol_enum(symbol));
                break;
        case CLI_SYMBOL_SERVICE:
                output.scope = symbol->name;
                write_service(&output, cli_symbol_service(symbol));
                break;
        default:
                proto_message(&output, cli_symbol_message(symbol));
                break;
        }
}
