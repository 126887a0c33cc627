/*
 * Words in lines: the form of all files about access, and how their errors are told
 *
 * Blanks and tabs part words; `#` at the start of a word begins a comment. An error
 * names file, line and column, what is wrong, and what would be right.
 */

#ifndef CORE_ACCESS_WORDS_H
#define CORE_ACCESS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/macros.h"

/* Why something was refused, for people: "alice.keys:3:12: ...". Long words are cut. */
struct pipit_access_problem {
        char text[1024];
};

/* All return false, for callers to return it. */
bool pipit_access_problem_set(struct pipit_access_problem *problem, const char *format, ...)
        PIPIT_PRINTF(2, 3);

struct pipit_word {
        const char *text; /* n_bytes, in the text that is read */
        size_t n_bytes;
        unsigned int line; /* from 1 */
        unsigned int column;
};

struct pipit_words {
        /* in */
        const char *path; /* for errors */

        /* out */
        unsigned int line;
        const char *line_text; /* the line that is read, without its newline */
        size_t n_line_bytes;

        /* private */
        const char *at, *next, *end;
};

void pipit_words_init(struct pipit_words *words,
                      const char *path,
                      const char *text,
                      size_t n_bytes);

/* Goes on to the next line that has a word. False: there is none. */
bool pipit_words_next_line(struct pipit_words *words);

/* The next word of this line. False: there is none. */
bool pipit_words_next(struct pipit_words *words, struct pipit_word *ret_word);

bool pipit_word_is(const struct pipit_word *word, const char *text);

/* Writes "PATH:LINE:COLUMN: ", and what the format says. */
bool pipit_words_problem(const struct pipit_words *words,
                         const struct pipit_word *word,
                         struct pipit_access_problem *ret_problem,
                         const char *format,
                         ...) PIPIT_PRINTF(4, 5);

/* For "%.*s": a word of a file may be long. */
#define PIPIT_WORD_ARGUMENTS(word) (int)((word)->n_bytes < 80 ? (word)->n_bytes : 80), (word)->text

/*
 * Names of keys and roles: 1 to 63 letters, digits, and `.`, `_`, `-`, `@`, the first of
 * them a letter or digit.
 */
#define PIPIT_ACCESS_NAME_BYTES_MAX 63
bool pipit_access_name_is_valid(const char *name, size_t n_bytes);

#endif
