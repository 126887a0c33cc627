#include "core/access/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool pipit_access_problem_set(struct pipit_access_problem *problem, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(problem->text, sizeof(problem->text), format, arguments);
        va_end(arguments);

        return false;
}

void pipit_words_init(struct pipit_words *words, const char *path, const char *text, size_t n_bytes)
{
        *words = (struct pipit_words){
                .path = path, .line_text = text, .at = text, .next = text, .end = text + n_bytes};
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

/* At the end of the line's words: the end of the line, or a comment. */
static bool skip_blanks(struct pipit_words *words)
{
        const char *end = words->line_text + words->n_line_bytes;

        while (words->at < end && is_blank(*words->at))
                words->at++;

        return words->at == end || *words->at == '#';
}

bool pipit_words_next_line(struct pipit_words *words)
{
        while (words->next < words->end) {
                size_t n_left = (size_t)(words->end - words->next);
                const char *newline = memchr(words->next, '\n', n_left);

                words->line_text = words->at = words->next;
                words->n_line_bytes = newline ? (size_t)(newline - words->next) : n_left;
                words->next += words->n_line_bytes + (newline ? 1 : 0);
                words->line++;
                if (!skip_blanks(words))
                        return true;
        }

        return false;
}

bool pipit_words_next(struct pipit_words *words, struct pipit_word *ret_word)
{
        const char *end = words->line_text + words->n_line_bytes, *start;

        if (skip_blanks(words))
                return false;

        start = words->at;
        while (words->at < end && !is_blank(*words->at))
                words->at++;
        *ret_word = (struct pipit_word){
                .text = start,
                .n_bytes = (size_t)(words->at - start),
                .line = words->line,
                .column = (unsigned int)(start - words->line_text) + 1,
        };

        return true;
}

bool pipit_word_is(const struct pipit_word *word, const char *text)
{
        return word->n_bytes == strlen(text) && memcmp(word->text, text, word->n_bytes) == 0;
}

bool pipit_words_problem(const struct pipit_words *words,
                         const struct pipit_word *word,
                         struct pipit_access_problem *ret_problem,
                         const char *format,
                         ...)
{
        char *text = ret_problem->text;
        const size_t size = sizeof(ret_problem->text);
        int n = snprintf(text, size, "%.300s:%u:%u: ", words->path, word->line, word->column);
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text + n, size - (size_t)n, format, arguments);
        va_end(arguments);

        return false;
}

static bool is_letter_or_digit(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool pipit_access_name_is_valid(const char *name, size_t n_bytes)
{
        if (n_bytes == 0 || n_bytes > PIPIT_ACCESS_NAME_BYTES_MAX || !is_letter_or_digit(name[0]))
                return false;

        for (size_t i = 1; i < n_bytes; i++) {
                if (!is_letter_or_digit(name[i]) && (name[i] == '\0' || !strchr("._-@", name[i])))
                        return false;
        }

        return true;
}
