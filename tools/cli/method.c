#include "tools/cli/method.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/ascii.h"
#include "core/json/nearest.h"
#include "tools/cli/symbols.h"

#define NAME_BYTES_MAX 256

/* One wanted method, in its friendly form. */
struct friendly {
        char service[NAME_BYTES_MAX]; /* all before the arrow */
        const char *method;           /* after it */
};

/* "GetHTTPThing" -> "get-http-thing"; other names, and what is kebab-case already, stay. */
static void to_kebab_case(const char *name, size_t n_name, char ret_kebab[2 * NAME_BYTES_MAX])
{
        if (n_name >= NAME_BYTES_MAX)
                n_name = NAME_BYTES_MAX - 1;

        for (size_t i = 0; i < n_name; i++) {
                unsigned char c = (unsigned char)name[i];
                bool after_lower =
                        i > 0 && name[i - 1] != '-' && !isupper((unsigned char)name[i - 1]);
                bool before_lower = i > 0 && i + 1 < n_name && islower((unsigned char)name[i + 1]);

                if (isupper(c) && (after_lower || before_lower))
                        *ret_kebab++ = '-';
                if (c == '_')
                        *ret_kebab++ = '-';
                else
                        *ret_kebab++ = pipit_ascii_lower(name[i]);
        }

        *ret_kebab = '\0';
}

static bool is_kebab_of(const char *wanted, const char *name, size_t n_name)
{
        char kebab[2 * NAME_BYTES_MAX];

        to_kebab_case(name, n_name, kebab);
        return strcmp(wanted, kebab) == 0 ||
               (strlen(wanted) == n_name && memcmp(wanted, name, n_name) == 0);
}

/* "v1", "v2beta1". */
static bool is_version(const char *word, size_t n_word)
{
        return n_word >= 2 && word[0] == 'v' && isdigit((unsigned char)word[1]);
}

/* The length of @service's package without a version at its end: 5 of "users.v1.UsersService". */
static size_t package_bytes(const char *service)
{
        const char *end = strrchr(service, '.');

        if (!end)
                return 0;

        for (const char *dot = end; dot > service;) {
                const char *word = dot;

                while (word > service && word[-1] != '.')
                        word--;
                if (!is_version(word, (size_t)(dot - word)))
                        return (size_t)(dot - service);
                if (word == service)
                        break;
                dot = word - 1;
        }

        return (size_t)(end - service);
}

static const char *last_word(const char *name, size_t n_name)
{
        const char *word = name + n_name;

        while (word > name && word[-1] != '.')
                word--;

        return word;
}

/* 5 of "UsersService", 6 of "Health". */
static size_t bytes_without_service(const char *name)
{
        static const char suffix[] = "Service";
        size_t n_name = strlen(name), n_suffix = sizeof(suffix) - 1;

        return n_name > n_suffix && strcmp(name + n_name - n_suffix, suffix) == 0
                       ? n_name - n_suffix
                       : n_name;
}

/* Whether the last word of the friendly name means @service. */
static bool service_fits(const char *friendly, const char *service)
{
        const char *wanted = last_word(friendly, strlen(friendly));
        const char *name = last_word(service, strlen(service));
        const char *package = last_word(service, package_bytes(service));

        if (strcmp(friendly, service) == 0 || is_kebab_of(wanted, name, strlen(name)) ||
            is_kebab_of(wanted, name, bytes_without_service(name)))
                return true;

        size_t n_package = package_bytes(service) - (size_t)(package - service);

        return n_package > 0 && is_kebab_of(wanted, package, n_package);
}

static bool package_is(const char *friendly, const char *service)
{
        size_t n_package = package_bytes(service);

        return strcmp(friendly, service) == 0 ||
               (n_package == strlen(friendly) && memcmp(friendly, service, n_package) == 0);
}

static const struct pipit_method *find_in_service(const struct pipit_service *service,
                                                  const char *method)
{
        for (size_t i = 0; i < service->n_methods; i++) {
                const char *name = strrchr(service->methods[i].name, '/') + 1;

                if (is_kebab_of(method, name, strlen(name)))
                        return &service->methods[i];
        }

        return NULL;
}

/* All methods that fit; of the services whose package it is alone, if @exact. */
static size_t find_friendly(const struct pipit_schema *schema,
                            size_t n_services,
                            const struct friendly *wanted,
                            bool exact,
                            struct pipit_arena *arena,
                            const struct pipit_method **ret_method,
                            const char **ret_names)
{
        const struct pipit_service *service;
        const char *names = "";
        size_t n = 0;

        for (size_t i = 0; i < n_services && (service = pipit_schema_service(schema, i)); i++) {
                const struct pipit_method *method = NULL;

                if (exact ? package_is(wanted->service, service->name)
                          : service_fits(wanted->service, service->name))
                        method = find_in_service(service, wanted->method);
                if (!method)
                        continue;

                *ret_method = method;
                names = pipit_arena_printf(arena, "%s%s%s", names, n > 0 ? ", " : "", method->name);
                names = names ? names : "";
                n++;
        }

        *ret_names = names;
        return n;
}

/* --- by the end of its name ------------------------------------------------------ */

static bool is_separator(char c)
{
        return c == '.' || c == '/';
}

/* Whether @full is @name, or ends so behind a dot or slash; these two are the same. */
static bool ends_with(const char *full, const char *name)
{
        size_t n_full = strlen(full), n_name = strlen(name);

        if (n_name == 0 || n_name > n_full ||
            (n_name < n_full && !is_separator(full[n_full - n_name - 1])))
                return false;

        full += n_full - n_name;
        for (size_t i = 0; i < n_name; i++) {
                if (full[i] != name[i] && !(is_separator(full[i]) && is_separator(name[i])))
                        return false;
        }

        return true;
}

/* All methods of the first @n_services that end so. */
static size_t find_ends(const struct pipit_schema *schema,
                        size_t n_services,
                        const char *name,
                        struct pipit_arena *arena,
                        const struct pipit_method **ret_method,
                        const char **ret_names)
{
        const struct pipit_service *service;
        const char *names = "";
        size_t n = 0;

        for (size_t i = 0; i < n_services && (service = pipit_schema_service(schema, i)); i++) {
                for (size_t j = 0; j < service->n_methods; j++) {
                        const char *full = service->methods[j].name;

                        if (!ends_with(full, name))
                                continue;

                        *ret_method = &service->methods[j];
                        names = pipit_arena_printf(arena, "%s%s%s", names, n > 0 ? ", " : "", full);
                        names = names ? names : "";
                        n++;
                }
        }

        *ret_names = names;
        return n;
}

/* --- what would be right ------------------------------------------------------- */

static const char *nearest_friendly(const struct pipit_schema *schema,
                                    const struct friendly *wanted,
                                    struct pipit_arena *arena)
{
        struct pipit_nearest nearest = {.wanted = wanted->method};
        const struct pipit_service *service;

        for (size_t i = 0; (service = pipit_schema_service(schema, i)); i++) {
                if (!service_fits(wanted->service, service->name))
                        continue;
                for (size_t j = 0; j < service->n_methods; j++) {
                        const char *name = strrchr(service->methods[j].name, '/') + 1;
                        char *kebab = pipit_arena_alloc(arena, (size_t)2 * NAME_BYTES_MAX);

                        if (!kebab)
                                return NULL;
                        to_kebab_case(name, strlen(name), kebab);
                        pipit_nearest_consider(&nearest, kebab);
                }
        }

        return nearest.name ? pipit_arena_printf(arena, "%s->%s", wanted->service, nearest.name)
                            : NULL;
}

/* As many words from the end of @full as @name has: "UsersService/GetUser" of the whole name. */
static const char *end_like(const char *full, const char *name)
{
        const char *end = full + strlen(full);
        size_t n_dots = 0;

        for (; *name; name++)
                n_dots += is_separator(*name) ? 1 : 0;

        while (end > full && (!is_separator(end[-1]) || n_dots-- > 0))
                end--;

        return end;
}

/* Who writes "GetUsr" or "UsersService/GetUsr" means a method whose name ends nearly so. */
static const char *nearest_by_end(const struct pipit_schema *schema, const char *name)
{
        struct pipit_nearest nearest = {.wanted = name};
        const struct pipit_service *service;
        const char *best = NULL, *found = NULL;

        for (size_t i = 0; (service = pipit_schema_service(schema, i)); i++) {
                for (size_t j = 0; j < service->n_methods; j++) {
                        pipit_nearest_consider(&nearest, end_like(service->methods[j].name, name));
                        if (nearest.name != found)
                                best = service->methods[j].name;
                        found = nearest.name;
                }
        }

        return best;
}

/* "List" for ListUsers. */
static const char *first_that_begins(const struct pipit_schema *schema, const char *name)
{
        const struct pipit_service *service;

        for (size_t i = 0; (service = pipit_schema_service(schema, i)); i++) {
                for (size_t j = 0; j < service->n_methods; j++) {
                        const char *method = strrchr(service->methods[j].name, '/') + 1;

                        if (name[0] && strncasecmp(method, name, strlen(name)) == 0)
                                return service->methods[j].name;
                }
        }

        return NULL;
}

/* A service where a method belongs: its methods are what is looked for. */
static const char *list_of_service(const struct pipit_schema *schema,
                                   const char *name,
                                   struct pipit_arena *arena)
{
        const struct pipit_service *service;
        const char *names = "";

        for (size_t i = 0; (service = pipit_schema_service(schema, i)); i++) {
                if (!ends_with(service->name, name))
                        continue;
                for (size_t j = 0; j < service->n_methods && names; j++)
                        names = pipit_arena_printf(arena,
                                                   "%s%s%s",
                                                   names,
                                                   j > 0 ? ", " : "",
                                                   strrchr(service->methods[j].name, '/') + 1);
                return names;
        }

        return NULL;
}

static const char *list_services(const struct pipit_schema *schema, struct pipit_arena *arena)
{
        const struct pipit_service *service;
        const char *names = "";

        for (size_t i = 0; names && (service = pipit_schema_service(schema, i)); i++)
                names = pipit_arena_printf(
                        arena, "%s%s%s", names, i > 0 ? ", " : "", service->name);

        return names ? names : "";
}

/* Streams are in no schema, so that here alone it matters what the files say. */
static const char *stream_name(const struct pipit_schema *schema,
                               const char *name,
                               struct pipit_arena *arena)
{
        struct cli_symbols symbols;

        if (!cli_symbols_init(&symbols, schema, arena))
                return NULL;

        for (const struct cli_symbol *symbol = symbols.first; symbol; symbol = symbol->next) {
                if (symbol->kind == CLI_SYMBOL_METHOD && ends_with(symbol->name, name) &&
                    (cli_symbol_method(symbol)->client_streaming ||
                     cli_symbol_method(symbol)->server_streaming))
                        return pipit_arena_printf(arena,
                                                  "%s/%s",
                                                  symbol->parent->name,
                                                  cli_symbol_method(symbol)->name);
        }

        return NULL;
}

static const char *explain(const struct pipit_schema *schema,
                           const char *name,
                           struct pipit_arena *arena)
{
        const char *methods = list_of_service(schema, name, arena);
        const char *near = pipit_schema_nearest_method(schema, name);
        const char *stream = stream_name(schema, name, arena);

        if (stream)
                return pipit_arena_printf(arena,
                                          "%s is a stream, and pipit calls methods with one "
                                          "request and one response only",
                                          stream);
        if (methods)
                return pipit_arena_printf(arena,
                                          "'%s' is a service; write %s/METHOD, its methods are %s",
                                          name,
                                          name,
                                          methods);

        if (!near)
                near = nearest_by_end(schema, name);
        if (!near)
                near = first_that_begins(schema, name);
        if (near)
                return pipit_arena_printf(
                        arena, "there is no method '%s'; did you mean %s?", name, near);

        return pipit_arena_printf(arena,
                                  "there is no method '%s'; the known services are %s "
                                  "(--proto FILE and --descriptor-set FILE bring others)",
                                  name,
                                  list_services(schema, arena));
}

/* One way to name a service in front of an arrow. */
static void consider_service(struct pipit_nearest *nearest,
                             struct pipit_arena *arena,
                             const char *name,
                             size_t n_name)
{
        char *kebab = pipit_arena_alloc(arena, (size_t)2 * NAME_BYTES_MAX);

        if (!kebab || n_name == 0)
                return;
        to_kebab_case(name, n_name, kebab);
        pipit_nearest_consider(nearest, kebab);
}

/* All that stands before the last word is where a service runs, and stays. False: nothing is near. */
static bool nearest_service(const struct pipit_schema *schema,
                            const struct friendly *wanted,
                            struct pipit_arena *arena,
                            struct friendly *ret_near)
{
        const char *last = last_word(wanted->service, strlen(wanted->service));
        struct pipit_nearest nearest = {.wanted = last};
        const struct pipit_service *service;

        for (size_t i = 0; (service = pipit_schema_service(schema, i)); i++) {
                const char *name = last_word(service->name, strlen(service->name));
                const char *package = last_word(service->name, package_bytes(service->name));

                consider_service(&nearest, arena, name, bytes_without_service(name));
                consider_service(&nearest, arena, name, strlen(name));
                consider_service(&nearest,
                                 arena,
                                 package,
                                 package_bytes(service->name) - (size_t)(package - service->name));
        }
        if (!nearest.name)
                return false;

        *ret_near = (struct friendly){.method = wanted->method};
        return snprintf(ret_near->service,
                        sizeof(ret_near->service),
                        "%.*s%s",
                        (int)(last - wanted->service),
                        wanted->service,
                        nearest.name) < (int)sizeof(ret_near->service);
}

static const char *explain_friendly(const struct pipit_schema *schema,
                                    const char *name,
                                    const struct friendly *wanted,
                                    struct pipit_arena *arena)
{
        const char *near = nearest_friendly(schema, wanted, arena);
        struct friendly other;

        if (!near && nearest_service(schema, wanted, arena, &other))
                near = nearest_friendly(schema, &other, arena);
        if (near)
                return pipit_arena_printf(
                        arena, "there is no method '%s'; did you mean %s?", name, near);

        return pipit_arena_printf(arena,
                                  "no service fits '%s'; the known services are %s "
                                  "(--proto FILE and --descriptor-set FILE bring others)",
                                  wanted->service,
                                  list_services(schema, arena));
}

/* --- finding ------------------------------------------------------------------- */

static const struct pipit_method *fail(const char **ret_problem, const char *problem)
{
        *ret_problem = problem ? problem : "out of memory";
        return NULL;
}

static const struct pipit_method *fail_ambiguous(struct pipit_arena *arena,
                                                 const char *name,
                                                 const char *names,
                                                 const char **ret_problem)
{
        return fail(ret_problem,
                    pipit_arena_printf(arena, "'%s' fits %s; write one of them", name, names));
}

/* Those that a server or a file gave go before those built in. */
static const struct pipit_method *find_by_arrow(const struct pipit_schema *schema,
                                                size_t n_own,
                                                const struct friendly *wanted,
                                                const char *name,
                                                struct pipit_arena *arena,
                                                const char **ret_problem)
{
        const struct pipit_method *method = NULL;
        const char *names, *ignored;
        size_t n_services = n_own,
               n = find_friendly(schema, n_own, wanted, false, arena, &method, &names);

        if (n == 0) {
                n_services = SIZE_MAX;
                n = find_friendly(schema, n_services, wanted, false, arena, &method, &names);
        }
        if (n == 1 ||
            (n > 1 &&
             find_friendly(schema, n_services, wanted, true, arena, &method, &ignored) == 1))
                return method;
        if (n > 1)
                return fail_ambiguous(arena, name, names, ret_problem);

        return fail(ret_problem, explain_friendly(schema, name, wanted, arena));
}

static const struct pipit_method *find_by_end(const struct pipit_schema *schema,
                                              size_t n_own,
                                              const char *name,
                                              struct pipit_arena *arena,
                                              const char **ret_problem)
{
        const struct pipit_method *method = NULL;
        const char *names;
        size_t n = find_ends(schema, n_own, name, arena, &method, &names);

        if (n == 0)
                n = find_ends(schema, SIZE_MAX, name, arena, &method, &names);
        if (n == 1)
                return method;
        if (n > 1)
                return fail_ambiguous(arena, name, names, ret_problem);

        return fail(ret_problem, explain(schema, name, arena));
}

const struct pipit_method *cli_method_find(const struct pipit_schema *schema,
                                           size_t n_own,
                                           const char *name,
                                           struct pipit_arena *arena,
                                           const char **ret_problem)
{
        const struct pipit_method *method = pipit_schema_method(schema, name);
        const char *arrow = strstr(name, "->");
        struct friendly wanted;

        if (method)
                return method;
        if (!arrow || (size_t)(arrow - name) >= sizeof(wanted.service))
                return find_by_end(schema, n_own, name, arena, ret_problem);

        memcpy(wanted.service, name, (size_t)(arrow - name));
        wanted.service[arrow - name] = '\0';
        wanted.method = arrow + 2;
        return find_by_arrow(schema, n_own, &wanted, name, arena, ret_problem);
}
