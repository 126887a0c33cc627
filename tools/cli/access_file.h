/*
 * Files about access, as the commands that keep them see them: chosen by a flag or
 * in their usual place, read, edited, and replaced whole
 */

#ifndef TOOLS_CLI_ACCESS_FILE_H
#define TOOLS_CLI_ACCESS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/access/key_file.h"
#include "core/access/places.h"
#include "core/access/text_file.h"
#include "tools/cli/options.h"

/* @given, or the usual place of @name. NULL: there is none, and it said so on stderr. */
const char *cli_access_path(struct cli_arguments *arguments, const char *given, const char *name);

/* The key file that the last positional names, or the caller's own. NULL: it said what is wrong. */
const char *cli_take_key_path(struct cli_arguments *arguments);

/* Whether @key is a public key. False: it said on stderr what is wrong. */
bool cli_access_check_key(const char *key);

/* On stdout. Returns CLI_OK. */
int cli_print_public_key(const struct pipit_noise_keys *keys);

/* Makes the folders on the way to @path, for nobody else. False: it said why on stderr. */
bool cli_access_make_folder(struct cli_arguments *arguments, const char *path);

/* A file that is being changed; others that change it wait. */
struct cli_access_edit {
        /* out */
        const char *path;
        char *text; /* what it holds now, NUL-terminated, in the arguments' arena */
        size_t n_bytes;

        /* private */
        struct cli_arguments *arguments;
        int lock;
};

/* One that does not exist is empty. False: it said why on stderr. */
bool cli_access_edit_begin(struct cli_access_edit *edit,
                           struct cli_arguments *arguments,
                           const char *path);

/* Takes the lines out whose word number @n_word (0: the first) is @word. Returns how many. */
size_t cli_access_edit_remove(struct cli_access_edit *edit, size_t n_word, const char *word);

/* Adds a line. False: out of memory; it said so. */
bool cli_access_edit_append(struct cli_access_edit *edit, const char *line);

/* Puts the new text in place. False: it said why on stderr. */
bool cli_access_edit_commit(struct cli_access_edit *edit);

/* Lets others at it. After commit or without. */
void cli_access_edit_end(struct cli_access_edit *edit);

#endif
