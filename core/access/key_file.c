#include "core/access/key_file.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/access/key.h"
#include "core/access/text_file.h"

static struct pipit_noise_keys *keys_alloc(void)
{
        return sodium_init() < 0 ? NULL : sodium_malloc(sizeof(struct pipit_noise_keys));
}

struct pipit_noise_keys *pipit_key_pair_new(void)
{
        struct pipit_noise_keys *keys = keys_alloc();

        if (keys)
                pipit_noise_keys_generate(keys);

        return keys;
}

struct pipit_noise_keys *pipit_key_pair_free(struct pipit_noise_keys *keys)
{
        sodium_free(keys);

        return NULL;
}

static bool report_empty(const char *path, struct pipit_access_problem *ret_problem)
{
        return pipit_access_problem_set(ret_problem,
                                        "%s: has no key: move it away, and `pipit keygen %s` "
                                        "makes a new one",
                                        path,
                                        path);
}

/* Errors quote nothing of a file that holds a secret. */
static bool parse(const struct pipit_text_file *file,
                  const char *path,
                  struct pipit_noise_keys *keys,
                  struct pipit_access_problem *ret_problem)
{
        struct pipit_word word, more;
        struct pipit_words words;
        const char *problem;
        size_t offset;

        pipit_words_init(&words, path, file->text, file->n_bytes);
        if (!pipit_words_next_line(&words) || !pipit_words_next(&words, &word))
                return report_empty(path, ret_problem);

        problem = pipit_key_parse(PIPIT_KEY_SECRET, word.text, word.n_bytes, keys->secret, &offset);
        if (problem) {
                word.column += (unsigned int)offset;
                return pipit_words_problem(&words,
                                           &word,
                                           ret_problem,
                                           "this %s; `pipit keygen FILE` makes a key file",
                                           problem);
        }
        if (pipit_words_next(&words, &more) ||
            (pipit_words_next_line(&words) && pipit_words_next(&words, &more)))
                return pipit_words_problem(
                        &words, &more, ret_problem, "a key file holds one key, and no more");

        pipit_noise_keys_derive(keys->secret, keys);
        return true;
}

struct pipit_noise_keys *pipit_key_pair_load(const char *path,
                                             struct pipit_access_problem *ret_problem)
{
        struct pipit_noise_keys *keys;
        struct pipit_text_file file;
        char hint[400];

        (void)snprintf(hint, sizeof(hint), "`pipit keygen %.300s` makes it", path);
        if (!pipit_text_file_read(path, PIPIT_TEXT_FILE_SECRET, hint, &file, ret_problem))
                return NULL;

        keys = keys_alloc();
        if (!keys)
                (void)pipit_access_problem_set(ret_problem, "%s: out of memory", path);
        else if (!parse(&file, path, keys, ret_problem))
                keys = pipit_key_pair_free(keys);
        pipit_text_file_deinit(&file);

        return keys;
}

bool pipit_key_pair_save(const struct pipit_noise_keys *keys,
                         const char *path,
                         struct pipit_access_problem *ret_problem)
{
        char public[PIPIT_KEY_TEXT_SIZE], secret[PIPIT_KEY_TEXT_SIZE], text[256];
        bool ok;
        int n;

        pipit_key_format(PIPIT_KEY_PUBLIC, keys->public, public);
        pipit_key_format(PIPIT_KEY_SECRET, keys->secret, secret);
        n = snprintf(text,
                     sizeof(text),
                     "# The secret half of the key below: for nobody else's eyes.\n# %s\n%s\n",
                     public,
                     secret);
        ok = pipit_text_file_create(path, S_IRUSR | S_IWUSR, text, (size_t)n, ret_problem);
        sodium_memzero(secret, sizeof(secret));
        sodium_memzero(text, sizeof(text));

        return ok;
}
