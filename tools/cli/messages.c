#include "tools/cli/messages.h"

#include <stdio.h>
#include <string.h>

#include "core/json/value.h"

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Behind the string that begins at @at; a line's end ends it, so that the next line is not lost. */
static size_t skip_string(const char *text, size_t n_bytes, size_t at)
{
        for (at++; at < n_bytes && text[at] != '"' && text[at] != '\n'; at++) {
                if (text[at] == '\\' && at + 1 < n_bytes && text[at + 1] != '\n')
                        at++;
        }

        return at < n_bytes && text[at] == '"' ? at + 1 : at;
}

/* Behind the bracket that closes the one at @at, or at the end. */
static size_t skip_brackets(const char *text, size_t n_bytes, size_t at)
{
        size_t depth = 0;

        while (at < n_bytes) {
                if (text[at] == '"') {
                        at = skip_string(text, n_bytes, at);
                        continue;
                }
                if (text[at] == '{' || text[at] == '[')
                        depth++;
                if ((text[at] == '}' || text[at] == ']') && --depth == 0)
                        return at + 1;
                at++;
        }

        return n_bytes;
}

/* A number, a word, or what is no JSON at all. */
static size_t skip_word(const char *text, size_t n_bytes, size_t at)
{
        while (at < n_bytes && !is_space(text[at]) && text[at] != '{' && text[at] != '[')
                at++;

        return at;
}

bool cli_messages_take(struct cli_messages *messages)
{
        const char *text = messages->text;
        size_t at = messages->next, n_bytes = messages->n_bytes;

        while (at < n_bytes && is_space(text[at]))
                at++;
        if (at == n_bytes && messages->n_taken > 0)
                return false;

        messages->n_taken++;
        messages->value = text + at;
        if (at == n_bytes)
                messages->next = n_bytes;
        else if (text[at] == '{' || text[at] == '[')
                messages->next = skip_brackets(text, n_bytes, at);
        else if (text[at] == '"')
                messages->next = skip_string(text, n_bytes, at);
        else
                messages->next = skip_word(text, n_bytes, at);

        messages->n_value_bytes = messages->next - at;
        return true;
}

const char *cli_messages_relocate(const struct cli_messages *messages,
                                  const char *problem,
                                  struct pipit_arena *arena)
{
        const struct pipit_json_position start = pipit_json_position_of(
                messages->text, messages->n_bytes, (size_t)(messages->value - messages->text));
        size_t line, column;
        int n_prefix = 0;

        if (sscanf(problem, "%zu:%zu:%n", &line, &column, &n_prefix) != 2 || n_prefix == 0)
                return problem;

        column += line == 1 ? start.column - 1 : 0;
        line += start.line - 1;

        const char *moved =
                pipit_arena_printf(arena, "%zu:%zu:%s", line, column, problem + n_prefix);

        return moved ? moved : problem;
}
