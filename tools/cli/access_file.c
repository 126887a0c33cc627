#include "tools/cli/access_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/access/key.h"
#include "tools/cli/command.h"

const char *cli_access_path(struct cli_arguments *arguments, const char *given, const char *name)
{
        const char *path = given ? given : pipit_access_place(&arguments->arena, name);

        if (!path)
                (void)cli_usage_error(arguments,
                                      "there is no place for %s: name a file, or set "
                                      "PIPIT_CONFIG_DIR",
                                      name);
        return path;
}

bool cli_access_check_key(const char *key)
{
        uint8_t bytes[PIPIT_KEY_BYTES];
        const char *problem = pipit_key_parse(PIPIT_KEY_PUBLIC, key, strlen(key), bytes, NULL);

        if (problem)
                (void)cli_value_error(
                        "KEY: this %s; `pipit pubkey FILE` prints the key of a key file", problem);
        return problem == NULL;
}

int cli_print_public_key(const struct pipit_noise_keys *keys)
{
        char text[PIPIT_KEY_TEXT_SIZE];

        pipit_key_format(PIPIT_KEY_PUBLIC, keys->public, text);
        (void)printf("%s\n", text);
        return CLI_OK;
}

const char *cli_take_key_path(struct cli_arguments *arguments)
{
        const char *given = cli_take(arguments);

        if (given && !given[0]) {
                (void)cli_usage_error(arguments, "FILE is empty");
                return NULL;
        }

        return cli_no_more(arguments) ? cli_access_path(arguments, given, PIPIT_PLACE_ID_KEY)
                                      : NULL;
}

bool cli_access_make_folder(struct cli_arguments *arguments, const char *path)
{
        char *folder = pipit_arena_strdup(&arguments->arena, path);

        if (!folder) {
                (void)cli_value_error("out of memory");
                return false;
        }

        for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(folder, S_IRWXU) < 0 && errno != EEXIST) {
                        (void)cli_value_error("%s: cannot be made: %s", folder, strerror(errno));
                        return false;
                }
                *slash = '/';
        }

        return true;
}

/* --- edits -------------------------------------------------------------------- */

static bool read_text(struct cli_access_edit *edit)
{
        struct pipit_access_problem problem;
        struct pipit_text_file file;

        edit->text = pipit_arena_strdup(&edit->arguments->arena, "");
        if (!edit->text) {
                (void)cli_value_error("out of memory");
                return false;
        }
        if (access(edit->path, F_OK) < 0 && errno == ENOENT)
                return true;

        if (!pipit_text_file_read(edit->path, PIPIT_TEXT_FILE_SETTINGS, "", &file, &problem)) {
                (void)cli_value_error("%s", problem.text);
                return false;
        }
        edit->text = pipit_arena_strndup(&edit->arguments->arena, file.text, file.n_bytes);
        edit->n_bytes = file.n_bytes;
        pipit_text_file_deinit(&file);
        if (!edit->text)
                (void)cli_value_error("out of memory");

        return edit->text != NULL;
}

bool cli_access_edit_begin(struct cli_access_edit *edit,
                           struct cli_arguments *arguments,
                           const char *path)
{
        struct pipit_access_problem problem;

        *edit = (struct cli_access_edit){.arguments = arguments, .path = path, .lock = -1};
        if (!cli_access_make_folder(arguments, path))
                return false;

        edit->lock = pipit_text_file_lock(path, &problem);
        if (edit->lock < 0) {
                (void)cli_value_error("%s", problem.text);
                return false;
        }

        return read_text(edit);
}

/* Whether word number @n_word of the line is @wanted. */
static bool line_has(struct pipit_words *words, size_t n_word, const char *wanted)
{
        struct pipit_word word;

        for (size_t i = 0; i <= n_word; i++) {
                if (!pipit_words_next(words, &word))
                        return false;
        }

        return pipit_word_is(&word, wanted);
}

size_t cli_access_edit_remove(struct cli_access_edit *edit, size_t n_word, const char *word)
{
        const char *end = edit->text + edit->n_bytes;
        size_t n_removed = 0, n_kept = edit->n_bytes;
        struct pipit_words words;

        /* What is behind a line that goes moves up, and the search begins anew: names are few. */
        pipit_words_init(&words, edit->path, edit->text, edit->n_bytes);
        while (pipit_words_next_line(&words)) {
                const char *line = words.line_text, *next = line + words.n_line_bytes;

                if (!line_has(&words, n_word, word))
                        continue;
                next += next < end;
                memmove(edit->text + (line - edit->text), next, (size_t)(end - next));
                n_kept -= (size_t)(next - line);
                end -= next - line;
                n_removed++;
                pipit_words_init(&words, edit->path, edit->text, n_kept);
        }
        edit->n_bytes = n_kept;
        edit->text[n_kept] = '\0';

        return n_removed;
}

bool cli_access_edit_append(struct cli_access_edit *edit, const char *line)
{
        const bool is_open = edit->n_bytes > 0 && edit->text[edit->n_bytes - 1] != '\n';
        char *text = pipit_arena_printf(
                &edit->arguments->arena, "%s%s%s\n", edit->text, is_open ? "\n" : "", line);

        if (!text) {
                (void)cli_value_error("out of memory");
                return false;
        }

        edit->text = text;
        edit->n_bytes = strlen(text);
        return true;
}

bool cli_access_edit_commit(struct cli_access_edit *edit)
{
        struct pipit_access_problem problem;

        if (pipit_text_file_replace(edit->path, edit->text, edit->n_bytes, &problem))
                return true;

        (void)cli_value_error("%s", problem.text);
        return false;
}

void cli_access_edit_end(struct cli_access_edit *edit)
{
        if (edit->lock >= 0)
                (void)close(edit->lock);
        edit->lock = -1;
}
