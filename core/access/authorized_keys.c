#include "core/access/authorized_keys.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/access/text_file.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/uuid.h"

struct pipit_authorized_keys {
        struct pipit_arena arena; /* of the names and roles */
        struct pipit_authorized_key *keys;
        size_t n_keys, n_room;

        /* Positions + 1 by key and by name; 0: free. At most half full. */
        uint32_t *by_key, *by_name;
        size_t n_index; /* a power of two */
        uint64_t seed;
};

/* What one line is parsed with. */
struct line {
        struct pipit_authorized_keys *keys;
        struct pipit_words *words;
        struct pipit_authorized_key key;
        struct pipit_access_problem *problem;
};

/* --- index ------------------------------------------------------------------------- */

static size_t hash(const struct pipit_authorized_keys *keys, const void *bytes, size_t n_bytes)
{
        const uint8_t *at = bytes;
        uint64_t x = keys->seed;

        for (size_t i = 0; i < n_bytes; i++)
                x = pipit_hash_byte(x, at[i]);

        return (size_t)((x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (keys->n_index - 1);
}

/* Where @key is in the index, or the free place where it would go. */
static uint32_t *place_of_key(const struct pipit_authorized_keys *keys, const uint8_t *key)
{
        size_t at = hash(keys, key, PIPIT_KEY_BYTES);

        while (keys->by_key[at] != 0 &&
               memcmp(keys->keys[keys->by_key[at] - 1].key, key, PIPIT_KEY_BYTES) != 0)
                at = (at + 1) & (keys->n_index - 1);

        return &keys->by_key[at];
}

static uint32_t *place_of_name(const struct pipit_authorized_keys *keys, const char *name)
{
        size_t at = hash(keys, name, strlen(name));

        while (keys->by_name[at] != 0 && strcmp(keys->keys[keys->by_name[at] - 1].name, name) != 0)
                at = (at + 1) & (keys->n_index - 1);

        return &keys->by_name[at];
}

static void index_last(struct pipit_authorized_keys *keys)
{
        const struct pipit_authorized_key *last = &keys->keys[keys->n_keys - 1];

        *place_of_key(keys, last->key) = (uint32_t)keys->n_keys;
        *place_of_name(keys, last->name) = (uint32_t)keys->n_keys;
}

static bool grow(struct pipit_authorized_keys *keys)
{
        const size_t n_room = keys->n_room > 0 ? keys->n_room * 2 : 16, n_keys = keys->n_keys;
        struct pipit_authorized_key *room = realloc(keys->keys, n_room * sizeof(*room));
        uint32_t *index = calloc(n_room * 4, sizeof(*index));

        if (room)
                keys->keys = room;
        if (!room || !index) {
                free(index);
                return false;
        }

        free(keys->by_key);
        keys->by_key = index;
        keys->by_name = index + n_room * 2;
        keys->n_index = n_room * 2;
        keys->n_room = n_room;
        for (keys->n_keys = 0; keys->n_keys < n_keys;) {
                keys->n_keys++;
                index_last(keys);
        }

        return true;
}

/* --- words -------------------------------------------------------------------------- */

static bool out_of_memory(const struct line *line)
{
        return pipit_access_problem_set(line->problem, "%s: out of memory", line->words->path);
}

/* Two digits or four. */
static bool read_digits(const char *text, size_t n, int *ret_number)
{
        int number = 0;

        for (size_t i = 0; i < n; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                number = number * 10 + (text[i] - '0');
        }

        *ret_number = number;
        return true;
}

bool pipit_access_date_parse(const char *text, size_t n_bytes, int64_t *ret_wall_us)
{
        struct tm day = {.tm_isdst = 0}, same;
        time_t seconds;

        if (n_bytes != 10 || text[4] != '-' || text[7] != '-' ||
            !read_digits(text, 4, &day.tm_year) || !read_digits(text + 5, 2, &day.tm_mon) ||
            !read_digits(text + 8, 2, &day.tm_mday))
                return false;

        day.tm_year -= 1900;
        day.tm_mon -= 1;
        same = day;
        seconds = timegm(&same);
        /* February 30th has become March 1st. */
        if (same.tm_year != day.tm_year || same.tm_mon != day.tm_mon || same.tm_mday != day.tm_mday)
                return false;

        *ret_wall_us = (int64_t)seconds * PIPIT_US_PER_S;
        return true;
}

static bool parse_key(struct line *line, struct pipit_word *word)
{
        const char *problem;
        uint32_t listed;
        size_t offset;

        problem = pipit_key_parse(
                PIPIT_KEY_PUBLIC, word->text, word->n_bytes, line->key.key, &offset);
        if (problem) {
                word->column += (unsigned int)offset;
                return pipit_words_problem(line->words,
                                           word,
                                           line->problem,
                                           "this %s; `pipit pubkey FILE` prints the key of a key "
                                           "file",
                                           problem);
        }

        listed = line->keys->n_keys > 0 ? *place_of_key(line->keys, line->key.key) : 0;
        if (listed > 0)
                return pipit_words_problem(line->words,
                                           word,
                                           line->problem,
                                           "this key is listed in line %u already, as %s",
                                           line->keys->keys[listed - 1].line,
                                           line->keys->keys[listed - 1].name);
        return true;
}

static bool parse_name(struct line *line, const struct pipit_word *word)
{
        char *name;
        uint32_t listed;

        if (!pipit_access_name_is_valid(word->text, word->n_bytes))
                return pipit_words_problem(line->words,
                                           word,
                                           line->problem,
                                           "'%.*s' is no name: one has 1 to 63 letters, digits, "
                                           "and . _ - @, and begins with a letter or digit",
                                           PIPIT_WORD_ARGUMENTS(word));

        name = pipit_arena_strndup(&line->keys->arena, word->text, word->n_bytes);
        if (!name)
                return out_of_memory(line);
        listed = line->keys->n_keys > 0 ? *place_of_name(line->keys, name) : 0;
        if (listed > 0)
                return pipit_words_problem(line->words,
                                           word,
                                           line->problem,
                                           "the name %s is of the key in line %u already, and a "
                                           "name is of one key: choose another one, or `pipit "
                                           "revoke %s`",
                                           name,
                                           line->keys->keys[listed - 1].line,
                                           name);

        line->key.name = name;
        return true;
}

static bool parse_roles(struct line *line, struct pipit_word word)
{
        const char **roles =
                pipit_arena_alloc(&line->keys->arena, PIPIT_AUTHORIZED_ROLES_MAX * sizeof(*roles));
        const char *end = word.text + word.n_bytes;

        if (!roles)
                return out_of_memory(line);
        line->key.roles = roles;

        for (;;) {
                const char *comma = memchr(word.text, ',', (size_t)(end - word.text));

                word.n_bytes = (size_t)((comma ? comma : end) - word.text);
                if (!pipit_access_name_is_valid(word.text, word.n_bytes))
                        return pipit_words_problem(line->words,
                                                   &word,
                                                   line->problem,
                                                   "'%.*s' is no role: write roles=NAME,NAME",
                                                   PIPIT_WORD_ARGUMENTS(&word));
                if (line->key.n_roles == PIPIT_AUTHORIZED_ROLES_MAX)
                        return pipit_words_problem(line->words,
                                                   &word,
                                                   line->problem,
                                                   "a key has at most %d roles: let the policy "
                                                   "allow key:%s what it needs",
                                                   PIPIT_AUTHORIZED_ROLES_MAX,
                                                   line->key.name);
                roles[line->key.n_roles] =
                        pipit_arena_strndup(&line->keys->arena, word.text, word.n_bytes);
                if (!roles[line->key.n_roles++])
                        return out_of_memory(line);
                if (!comma)
                        return true;
                word.column += (unsigned int)(comma + 1 - word.text);
                word.text = comma + 1;
        }
}

static bool starts_with(const struct pipit_word *word, const char *start)
{
        return word->n_bytes >= strlen(start) && memcmp(word->text, start, strlen(start)) == 0;
}

static struct pipit_word behind(const struct pipit_word *word, size_t n_bytes)
{
        return (struct pipit_word){.text = word->text + n_bytes,
                                   .n_bytes = word->n_bytes - n_bytes,
                                   .line = word->line,
                                   .column = word->column + (unsigned int)n_bytes};
}

static bool parse_option(struct line *line, const struct pipit_word *word)
{
        struct pipit_word value;

        if (starts_with(word, "roles=") && line->key.n_roles == 0)
                return parse_roles(line, behind(word, strlen("roles=")));
        if (starts_with(word, "expires=") && line->key.expires_us == INT64_MAX) {
                value = behind(word, strlen("expires="));
                if (pipit_access_date_parse(value.text, value.n_bytes, &line->key.expires_us))
                        return true;
                return pipit_words_problem(line->words,
                                           &value,
                                           line->problem,
                                           "'%.*s' is no day: write expires=2027-01-31",
                                           PIPIT_WORD_ARGUMENTS(&value));
        }

        return pipit_words_problem(line->words,
                                   word,
                                   line->problem,
                                   "'%.*s' is not known here: after the name come "
                                   "roles=ROLE,ROLE and expires=YYYY-MM-DD, once each",
                                   PIPIT_WORD_ARGUMENTS(word));
}

static bool parse_line(struct line *line)
{
        struct pipit_authorized_keys *keys = line->keys;
        struct pipit_word key, name, option;

        line->key =
                (struct pipit_authorized_key){.expires_us = INT64_MAX, .line = line->words->line};
        (void)pipit_words_next(line->words, &key);
        if (keys->n_keys == PIPIT_AUTHORIZED_KEYS_MAX)
                return pipit_words_problem(line->words,
                                           &key,
                                           line->problem,
                                           "there are more than %d keys",
                                           PIPIT_AUTHORIZED_KEYS_MAX);
        if (!parse_key(line, &key))
                return false;
        if (!pipit_words_next(line->words, &name))
                return pipit_words_problem(line->words,
                                           &key,
                                           line->problem,
                                           "the key has no name: write KEY NAME, or `pipit "
                                           "authorize NAME KEY`");
        if (!parse_name(line, &name))
                return false;
        while (pipit_words_next(line->words, &option)) {
                if (!parse_option(line, &option))
                        return false;
        }

        if (keys->n_keys == keys->n_room && !grow(keys))
                return out_of_memory(line);
        keys->keys[keys->n_keys++] = line->key;
        index_last(keys);

        return true;
}

/* --- life ------------------------------------------------------------------------------ */

struct pipit_authorized_keys *pipit_authorized_keys_parse(const char *path,
                                                          const char *text,
                                                          size_t n_bytes,
                                                          struct pipit_access_problem *ret_problem)
{
        struct pipit_authorized_keys *keys = calloc(1, sizeof(*keys));
        struct pipit_words words;
        struct line line = {.keys = keys, .words = &words, .problem = ret_problem};

        if (!keys) {
                (void)pipit_access_problem_set(ret_problem, "%s: out of memory", path);
                return NULL;
        }

        pipit_random_bytes(&keys->seed, sizeof(keys->seed));
        pipit_words_init(&words, path, text, n_bytes);
        while (pipit_words_next_line(&words)) {
                if (!parse_line(&line))
                        return pipit_authorized_keys_free(keys);
        }

        return keys;
}

struct pipit_authorized_keys *pipit_authorized_keys_load(const char *path,
                                                         struct pipit_access_problem *ret_problem)
{
        struct pipit_authorized_keys *keys;
        struct pipit_text_file file;

        if (!pipit_text_file_read(path,
                                  PIPIT_TEXT_FILE_SETTINGS,
                                  "`pipit authorize NAME KEY` makes it",
                                  &file,
                                  ret_problem))
                return NULL;

        keys = pipit_authorized_keys_parse(path, file.text, file.n_bytes, ret_problem);
        pipit_text_file_deinit(&file);

        return keys;
}

struct pipit_authorized_keys *pipit_authorized_keys_free(struct pipit_authorized_keys *keys)
{
        if (keys) {
                pipit_arena_deinit(&keys->arena);
                free(keys->by_key);
                free(keys->keys);
                free(keys);
        }

        return NULL;
}

/* --- use -------------------------------------------------------------------------------- */

size_t pipit_authorized_keys_count(const struct pipit_authorized_keys *keys)
{
        return keys->n_keys;
}

const struct pipit_authorized_key *pipit_authorized_keys_get(
        const struct pipit_authorized_keys *keys, size_t i)
{
        return &keys->keys[i];
}

static const struct pipit_authorized_key *get_listed(const struct pipit_authorized_keys *keys,
                                                     const uint32_t *place)
{
        return *place > 0 ? &keys->keys[*place - 1] : NULL;
}

const struct pipit_authorized_key *pipit_authorized_keys_find(
        const struct pipit_authorized_keys *keys, const uint8_t key[PIPIT_KEY_BYTES])
{
        return keys->n_keys > 0 ? get_listed(keys, place_of_key(keys, key)) : NULL;
}

const struct pipit_authorized_key *pipit_authorized_keys_find_name(
        const struct pipit_authorized_keys *keys, const char *name)
{
        return keys->n_keys > 0 ? get_listed(keys, place_of_name(keys, name)) : NULL;
}
