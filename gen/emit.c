#include "gen/emit.h"

#include <string.h>

#include "gen/memory.h"

#define COLUMNS_MAX 100 /* as .clang-format has it */

void emit_notice(struct text *text, const struct model_file *file)
{
        text_add(text,
                 "/* Written by protoc-gen-pipit from %s: changes made here are lost. */\n",
                 file->name);
}

/* A comment cannot hold the marks of another, and a trigraph at the end of a line joins it to the next. */
static void add_escaped(struct text *text, const char *line, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *before = i > 0 ? &line[i - 1] : "";

                if (strncmp(before, "*/", 2) == 0 || strncmp(before, "/*", 2) == 0 ||
                    strncmp(before, "??", 2) == 0)
                        text_add(text, " ");
                text_add_bytes(text, &line[i], 1);
        }
}

static size_t trimmed_length(const char *line, size_t n)
{
        while (n > 0 && strchr(" \t\r", line[n - 1]))
                n--;

        return n;
}

/* Each line starts with the blank that stood behind the slashes. */
static void add_comment_line(struct text *text, const char *indent, const char *line, size_t n)
{
        n = trimmed_length(line, n);
        text_add(text, "%s *%s", indent, n > 0 && line[0] != ' ' ? " " : "");
        add_escaped(text, line, n);
        text_add(text, "\n");
}

static void add_comment_lines(struct text *text, const char *indent, const char *comment, size_t n)
{
        const char *end = comment + n;

        text_add(text, "%s/*\n", indent);
        while (comment < end) {
                const char *newline = memchr(comment, '\n', (size_t)(end - comment));
                const char *line_end = newline ? newline : end;

                add_comment_line(text, indent, comment, (size_t)(line_end - comment));
                comment = newline ? newline + 1 : end;
        }
        text_add(text, "%s */\n", indent);
}

static bool is_blank(const char *comment)
{
        return !comment || comment[strspn(comment, " \t\r\n")] == '\0';
}

static void emit_comment(struct text *text, const char *indent, const char *comment)
{
        size_t n;

        if (is_blank(comment))
                return;
        while (*comment == '\n')
                comment++;
        n = strlen(comment);
        while (n > 0 && strchr(" \t\r\n", comment[n - 1]))
                n--;

        if (memchr(comment, '\n', n) || strlen(indent) + n + 6 > COLUMNS_MAX) {
                add_comment_lines(text, indent, comment, n);
                return;
        }

        text_add(text, "%s/*%s", indent, comment[0] == ' ' ? "" : " ");
        add_escaped(text, comment, n);
        text_add(text, " */\n");
}

void emit_comments(struct text *text, const char *indent, const struct source_comments *comments)
{
        const char *leading = comments->leading;
        const char *trailing = comments->trailing;

        if (is_blank(leading) || is_blank(trailing))
                emit_comment(text, indent, is_blank(leading) ? trailing : leading);
        else
                emit_comment(text, indent, gen_printf(text->arena, "%s\n%s", leading, trailing));
}

void emit_detached(struct text *text, const char *indent, const struct source_comments *comments)
{
        for (size_t i = 0; i < comments->n_detached; i++) {
                if (is_blank(comments->detached[i]))
                        continue;
                emit_comment(text, indent, comments->detached[i]);
                text_add(text, "\n");
        }
}

static void add_parameters(struct text *text,
                           size_t indent,
                           const char *const *parameters,
                           size_t n_parameters)
{
        for (size_t i = 0; i < n_parameters; i++) {
                if (i > 0 && indent > 0)
                        text_add(text, ",\n%*s", (int)indent, "");
                else if (i > 0)
                        text_add(text, ", ");
                text_add(text, "%s", parameters[i]);
        }
}

void emit_function(struct text *text,
                   const char *qualifier,
                   const char *head,
                   const char *const *parameters,
                   size_t n_parameters,
                   const char *tail)
{
        size_t n_head = strlen(head) + 1;
        size_t n_all = n_head + strlen(tail) + 1;
        size_t n_longest = 0;
        size_t indent = 0;

        for (size_t i = 0; i < n_parameters; i++) {
                size_t n = strlen(parameters[i]) + 2;

                n_all += n;
                n_longest = n > n_longest ? n : n_longest;
        }

        if (qualifier[0])
                text_add(text, "%s\n", qualifier);
        text_add(text, "%s(", head);
        if (n_all > COLUMNS_MAX) {
                indent = n_head + n_longest <= COLUMNS_MAX ? n_head : 16;
                if (indent != n_head)
                        text_add(text, "\n%*s", (int)indent, "");
        }
        add_parameters(text, indent, parameters, n_parameters);
        text_add(text, ")%s\n", tail);
}

static const char *qualifier_of(const struct model_method *method,
                                const char *tail,
                                bool must_check)
{
        /* attributes belong to declarations */
        if (!tail[0])
                return "";
        if (must_check)
                return method->deprecated ? "PIPIT_DEPRECATED PIPIT_MUST_CHECK"
                                          : "PIPIT_MUST_CHECK";

        return method->deprecated ? "PIPIT_DEPRECATED" : "";
}

void emit_call(struct text *text, const struct model_method *method, const char *tail)
{
        const char *parameters[] = {
                "struct pipit_channel *channel",
                "struct pipit_call *call",
                gen_printf(text->arena, "const %s *request", method->request_type),
                gen_printf(text->arena, "const %s **ret_response", method->response_type),
        };

        emit_function(text,
                      qualifier_of(method, tail, true),
                      gen_printf(text->arena, "enum pipit_status %s", method->function),
                      parameters,
                      PIPIT_N_ELEMENTS(parameters),
                      tail);
}

void emit_start(struct text *text, const struct model_method *method, const char *tail)
{
        const char *parameters[] = {
                "struct pipit_channel *channel",
                "struct pipit_call *call",
                gen_printf(text->arena, "const %s *request", method->request_type),
        };

        emit_function(text,
                      qualifier_of(method, tail, false),
                      gen_printf(text->arena, "void %s_start", method->function),
                      parameters,
                      PIPIT_N_ELEMENTS(parameters),
                      tail);
}

void emit_response(struct text *text, const struct model_method *method, const char *tail)
{
        const char *const parameters[] = {"const struct pipit_call *call"};

        emit_function(text,
                      "",
                      gen_printf(text->arena,
                                 "const %s *%s_response",
                                 method->response_type,
                                 method->function),
                      parameters,
                      PIPIT_N_ELEMENTS(parameters),
                      tail);
}

void emit_reply(struct text *text, const struct model_method *method, const char *tail)
{
        const char *parameters[] = {
                "struct pipit_server_call *call",
                gen_printf(text->arena, "const %s *response", method->response_type),
        };

        emit_function(text,
                      "",
                      gen_printf(text->arena, "void %s_reply", method->function),
                      parameters,
                      PIPIT_N_ELEMENTS(parameters),
                      tail);
}

void emit_register(struct text *text, const struct model_service *service, const char *tail)
{
        const char *parameters[] = {
                "struct pipit_server *server",
                gen_printf(text->arena, "const struct %s *handlers", service->name),
                "void *self",
        };

        emit_function(text,
                      tail[0] ? "PIPIT_MUST_CHECK" : "",
                      gen_printf(text->arena, "enum pipit_status %s", service->register_),
                      parameters,
                      PIPIT_N_ELEMENTS(parameters),
                      tail);
}
