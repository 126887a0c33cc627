#include "core/access/known_servers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/access/text_file.h"
#include "core/base/arena.h"
#include "core/base/ascii.h"

struct pipit_known_servers {
        struct pipit_arena arena; /* of the URLs */
        struct pipit_known_server *servers;
        size_t n_servers, n_room;
};

static const char scheme[] = "tcp://";

static bool is_host_byte(char c)
{
        c = pipit_ascii_lower(c);
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               (c != '\0' && strchr(".-_[]:%", c));
}

static bool is_port(const char *text, size_t n_bytes)
{
        unsigned long port = 0;

        if (n_bytes == 0 || n_bytes > 5)
                return false;
        for (size_t i = 0; i < n_bytes; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                port = port * 10 + (unsigned long)(text[i] - '0');
        }

        return port > 0 && port <= 65535;
}

bool pipit_known_servers_url_is_valid(const char *url, size_t n_bytes)
{
        const size_t n_scheme = sizeof(scheme) - 1;
        const char *colon;

        if (n_bytes <= n_scheme || n_bytes > 300 || memcmp(url, scheme, n_scheme) != 0)
                return false;

        colon = memrchr(url + n_scheme, ':', n_bytes - n_scheme);
        if (!colon || colon == url + n_scheme ||
            !is_port(colon + 1, (size_t)(url + n_bytes - colon - 1)))
                return false;
        for (const char *at = url + n_scheme; at < colon; at++) {
                if (!is_host_byte(*at))
                        return false;
        }

        return true;
}

/* --- parsing -------------------------------------------------------------------------- */

struct line {
        struct pipit_known_servers *servers;
        struct pipit_words *words;
        struct pipit_access_problem *problem;
};

static bool out_of_memory(const struct line *line)
{
        return pipit_access_problem_set(line->problem, "%s: out of memory", line->words->path);
}

static bool append(struct line *line, const struct pipit_known_server *server)
{
        struct pipit_known_servers *servers = line->servers;

        if (servers->n_servers == servers->n_room) {
                size_t n_room = servers->n_room > 0 ? servers->n_room * 2 : 16;
                struct pipit_known_server *room = realloc(servers->servers, n_room * sizeof(*room));

                if (!room)
                        return out_of_memory(line);
                servers->servers = room;
                servers->n_room = n_room;
        }

        servers->servers[servers->n_servers++] = *server;
        return true;
}

static bool parse_line(struct line *line)
{
        struct pipit_known_server server = {.line = line->words->line};
        struct pipit_word url, key, more;
        const char *problem;
        char *lower;
        size_t offset;

        (void)pipit_words_next(line->words, &url);
        if (line->servers->n_servers == PIPIT_KNOWN_SERVERS_MAX)
                return pipit_words_problem(line->words,
                                           &url,
                                           line->problem,
                                           "there are more than %d servers",
                                           PIPIT_KNOWN_SERVERS_MAX);
        if (!pipit_known_servers_url_is_valid(url.text, url.n_bytes))
                return pipit_words_problem(line->words,
                                           &url,
                                           line->problem,
                                           "'%.*s' is no URL of a server with a key: one is "
                                           "tcp://HOST:PORT",
                                           PIPIT_WORD_ARGUMENTS(&url));
        if (!pipit_words_next(line->words, &key))
                return pipit_words_problem(line->words,
                                           &url,
                                           line->problem,
                                           "the URL has no key: write URL KEY, or `pipit trust "
                                           "URL KEY`");
        problem = pipit_key_parse(PIPIT_KEY_PUBLIC, key.text, key.n_bytes, server.key, &offset);
        if (problem) {
                key.column += (unsigned int)offset;
                return pipit_words_problem(line->words,
                                           &key,
                                           line->problem,
                                           "this %s; on the server, `pipit pubkey FILE` prints it",
                                           problem);
        }
        if (pipit_words_next(line->words, &more))
                return pipit_words_problem(line->words,
                                           &more,
                                           line->problem,
                                           "'%.*s' is one word too many: a line is URL KEY",
                                           PIPIT_WORD_ARGUMENTS(&more));

        lower = pipit_arena_strndup(&line->servers->arena, url.text, url.n_bytes);
        if (!lower)
                return out_of_memory(line);
        for (char *at = lower; *at; at++)
                *at = pipit_ascii_lower(*at);
        server.url = lower;

        return append(line, &server);
}

static int compare(const void *left, const void *right)
{
        const struct pipit_known_server *one = left, *other = right;
        int order = strcmp(one->url, other->url);

        return order != 0 ? order : (one->line > other->line) - (one->line < other->line);
}

/* Puts them in order, in which doubles meet. */
static bool sort(struct line *line)
{
        struct pipit_known_server *servers = line->servers->servers;

        if (line->servers->n_servers > 0)
                qsort(servers, line->servers->n_servers, sizeof(*servers), compare);
        for (size_t i = 1; i < line->servers->n_servers; i++) {
                const struct pipit_word word = {.line = servers[i].line, .column = 1};

                if (strcmp(servers[i - 1].url, servers[i].url) == 0)
                        return pipit_words_problem(
                                line->words,
                                &word,
                                line->problem,
                                "%s is in line %u already, and a server has one key: `pipit trust "
                                "URL KEY` replaces it",
                                servers[i].url,
                                servers[i - 1].line);
        }

        return true;
}

struct pipit_known_servers *pipit_known_servers_parse(const char *path,
                                                      const char *text,
                                                      size_t n_bytes,
                                                      struct pipit_access_problem *ret_problem)
{
        struct pipit_known_servers *servers = calloc(1, sizeof(*servers));
        struct pipit_words words;
        struct line line = {.servers = servers, .words = &words, .problem = ret_problem};
        bool ok = true;

        if (!servers) {
                (void)pipit_access_problem_set(ret_problem, "%s: out of memory", path);
                return NULL;
        }

        pipit_words_init(&words, path, text, n_bytes);
        while (ok && pipit_words_next_line(&words))
                ok = parse_line(&line);

        return ok && sort(&line) ? servers : pipit_known_servers_free(servers);
}

struct pipit_known_servers *pipit_known_servers_load(const char *path,
                                                     struct pipit_access_problem *ret_problem)
{
        struct pipit_known_servers *servers;
        struct pipit_text_file file;

        if (!pipit_text_file_read(path,
                                  PIPIT_TEXT_FILE_SETTINGS,
                                  "`pipit trust URL KEY` makes it",
                                  &file,
                                  ret_problem))
                return NULL;

        servers = pipit_known_servers_parse(path, file.text, file.n_bytes, ret_problem);
        pipit_text_file_deinit(&file);

        return servers;
}

struct pipit_known_servers *pipit_known_servers_free(struct pipit_known_servers *servers)
{
        if (servers) {
                pipit_arena_deinit(&servers->arena);
                free(servers->servers);
                free(servers);
        }

        return NULL;
}

/* --- use -------------------------------------------------------------------------------- */

size_t pipit_known_servers_count(const struct pipit_known_servers *servers)
{
        return servers->n_servers;
}

const struct pipit_known_server *pipit_known_servers_get(const struct pipit_known_servers *servers,
                                                         size_t i)
{
        return &servers->servers[i];
}

const struct pipit_known_server *pipit_known_servers_find(const struct pipit_known_servers *servers,
                                                          const char *url)
{
        size_t from = 0, to = servers->n_servers;

        while (from < to) {
                size_t middle = from + (to - from) / 2;
                int order = strcasecmp(url, servers->servers[middle].url);

                if (order == 0)
                        return &servers->servers[middle];
                if (order < 0)
                        to = middle;
                else
                        from = middle + 1;
        }

        return NULL;
}
