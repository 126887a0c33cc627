#include "tools/cli/scenario/variables.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "core/json/nearest.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* --- names ------------------------------------------------------------------------ */

bool scenario_is_variable_name(const char *name)
{
        return name[0] != '\0' && !strchr("0123456789-", name[0]) &&
               strspn(name, NAME_CHARACTERS) == strlen(name);
}

/* --- builtins ---------------------------------------------------------------------- */

static struct scenario_value *unique_value(const struct scenario_scope *scope,
                                           struct pipit_arena *arena)
{
        while (scope && !scope->unique)
                scope = scope->outer;

        return scenario_string_new(arena, scope ? scope->unique : "");
}

static struct scenario_value *index_value(const struct scenario_scope *scope,
                                          struct pipit_arena *arena)
{
        char digits[24];

        while (scope && !scope->has_index)
                scope = scope->outer;

        (void)snprintf(digits, sizeof(digits), "%zu", scope ? scope->index : 0);
        return scenario_number_new(arena, digits);
}

static struct scenario_value *random_value(const struct scenario_scope *scope PIPIT_UNUSED,
                                           struct pipit_arena *arena)
{
        char digits[24];

        (void)snprintf(digits, sizeof(digits), "%" PRIu64, pipit_random_u64() & INT32_MAX);
        return scenario_number_new(arena, digits);
}

static struct scenario_value *uuid_value(const struct scenario_scope *scope PIPIT_UNUSED,
                                         struct pipit_arena *arena)
{
        const struct pipit_uuid uuid = pipit_uuid_v7(pipit_clock_wall_us());
        char text[PIPIT_UUID_TEXT_SIZE];

        pipit_uuid_format(&uuid, text);
        return scenario_string_new(arena, text);
}

static struct scenario_value *now_value(const struct scenario_scope *scope PIPIT_UNUSED,
                                        struct pipit_arena *arena)
{
        int64_t us = pipit_clock_wall_us();
        time_t s = (time_t)(us / PIPIT_US_PER_S);
        char text[64];
        struct tm tm;

        (void)gmtime_r(&s, &tm);

        size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);

        (void)snprintf(text + n, sizeof(text) - n, ".%06" PRId64 "Z", us % PIPIT_US_PER_S);
        return scenario_string_new(arena, text);
}

static const struct builtin {
        const char *name;
        struct scenario_value *(*value)(const struct scenario_scope *scope,
                                        struct pipit_arena *arena);
} builtins[] = {
        {"unique", unique_value},
        {"random", random_value},
        {"uuid", uuid_value},
        {"now", now_value},
        {"index", index_value},
};

static const struct builtin *find_builtin(const char *name)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(builtins); i++) {
                if (strcmp(builtins[i].name, name) == 0)
                        return &builtins[i];
        }

        return NULL;
}

bool scenario_is_builtin(const char *name)
{
        return find_builtin(name) != NULL;
}

const char *scenario_unique_new(struct pipit_arena *arena)
{
        uint8_t bytes[8];

        pipit_random_bytes(bytes, sizeof(bytes));
        return pipit_arena_printf(arena,
                                  "%02x%02x%02x%02x%02x%02x%02x%02x",
                                  bytes[0],
                                  bytes[1],
                                  bytes[2],
                                  bytes[3],
                                  bytes[4],
                                  bytes[5],
                                  bytes[6],
                                  bytes[7]);
}

/* --- scopes --------------------------------------------------------------------------- */

struct scenario_variable *scenario_scope_own(const struct scenario_scope *scope, const char *name)
{
        struct scenario_variable *variable = scope->first;

        while (variable && strcmp(variable->name, name) != 0)
                variable = variable->next;

        return variable;
}

static const struct scenario_scope *outermost(const struct scenario_scope *scope)
{
        while (scope->outer)
                scope = scope->outer;

        return scope;
}

static const struct scenario_value *find(const struct scenario_scope *scope, const char *name)
{
        struct scenario_variable *variable = scenario_scope_own(outermost(scope), name);

        for (; !variable && scope; scope = scope->outer)
                variable = scenario_scope_own(scope, name);
        if (!variable)
                return NULL;

        variable->is_used = true;
        return variable->value;
}

static bool set(struct scenario_scope *scope, const char *name, const struct scenario_value *value)
{
        struct scenario_variable *variable = scenario_scope_own(scope, name);

        if (!value)
                return false;
        if (!variable) {
                variable = pipit_arena_zalloc(scope->arena, sizeof(*variable));
                if (!variable)
                        return false;
                variable->name = pipit_arena_strdup(scope->arena, name);
                if (!variable->name)
                        return false;
                variable->next = scope->first;
                scope->first = variable;
        }

        variable->value = value;
        return true;
}

bool scenario_scope_set(struct scenario_scope *scope,
                        const char *name,
                        const struct scenario_value *value)
{
        return set(scope, name, scenario_value_copy(scope->arena, value));
}

bool scenario_scope_set_unknown(struct scenario_scope *scope, const char *name)
{
        struct scenario_value *value = scenario_string_new(scope->arena, "");

        if (value)
                value->is_unknown = true;
        return set(scope, name, value);
}

bool scenario_scope_set_all(struct scenario_scope *scope,
                            const struct scenario_value *variables,
                            struct scenario_problems *problems)
{
        bool ok = true;

        for (const struct scenario_value *child = variables ? variables->first : NULL; child;
             child = child->next) {
                struct scenario_variable *override =
                        scenario_scope_own(outermost(scope), child->key);
                const struct scenario_value *value =
                        scenario_resolve(child, scope, scope->arena, problems);

                if (override)
                        override->is_used = true;
                if (!value || !scenario_scope_set(scope, child->key, value))
                        ok = false;
        }

        return ok;
}

/* --- resolving ---------------------------------------------------------------------------- */

struct resolver {
        const struct scenario_scope *scope;
        struct pipit_arena *arena;
        struct scenario_problems *problems;
        const struct scenario_value *value; /* whose text this is */
        bool is_unknown;
};

bool scenario_has_variables(const char *text)
{
        for (const char *at = strstr(text, "${"); at; at = strstr(at + 2, "${")) {
                if (at == text || at[-1] != '$')
                        return true;
        }

        return false;
}

static void fail_unknown(struct resolver *resolver, const char *name)
{
        struct pipit_nearest nearest = {.wanted = name};
        const struct scenario_scope *scope = resolver->scope;

        if (outermost(scope)->is_run) {
                scenario_problems_add(resolver->problems,
                                      &resolver->value->place,
                                      "the variable %s has no value: what captures it failed",
                                      name);
                return;
        }

        for (; scope; scope = scope->outer) {
                for (const struct scenario_variable *variable = scope->first; variable;
                     variable = variable->next)
                        pipit_nearest_consider(&nearest, variable->name);
        }
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(builtins); i++)
                pipit_nearest_consider(&nearest, builtins[i].name);

        scenario_problems_add(resolver->problems,
                              &resolver->value->place,
                              "nothing before this gives the variable '%s'%s%s%s",
                              name,
                              nearest.name ? "; did you mean " : "",
                              nearest.name ? nearest.name : "",
                              nearest.name ? "?" : "");
}

/* The value of the variable whose "${" is at @at; *ret_end is behind its "}". NULL: a problem. */
static const struct scenario_value *variable_at(struct resolver *resolver,
                                                const char *at,
                                                const char **ret_end)
{
        const char *end = strchr(at, '}');
        char *name =
                end ? pipit_arena_strndup(resolver->arena, at + 2, (size_t)(end - at - 2)) : NULL;

        if (!name || !scenario_is_variable_name(name)) {
                scenario_problems_add(resolver->problems,
                                      &resolver->value->place,
                                      "'%.40s' begins no variable, as ${name}; $${ stands for ${",
                                      at);
                return NULL;
        }

        const struct builtin *builtin = find_builtin(name);
        const struct scenario_value *value =
                builtin ? builtin->value(resolver->scope, resolver->arena)
                        : find(resolver->scope, name);

        if (!value && !builtin)
                fail_unknown(resolver, name);
        else if (!value)
                resolver->problems->out_of_memory = true;
        else if (value->is_unknown)
                resolver->is_unknown = true;
        *ret_end = end + 1;
        return value;
}

/* What a value looks like inside of a text. */
static const char *text_of(struct resolver *resolver, const struct scenario_value *value)
{
        const char *text = value->text;

        if (!text)
                text = scenario_value_json(value, resolver->arena);
        if (!text)
                resolver->problems->out_of_memory = true;
        return text;
}

/* The text with all variables put in. NULL: a problem. */
static const char *resolve_text(struct resolver *resolver, const char *text)
{
        const char *resolved = "";

        while (resolved && *text) {
                const char *dollar = strstr(text, "${");
                size_t n = dollar ? (size_t)(dollar - text) : strlen(text);
                bool is_escaped = dollar && n > 0 && text[n - 1] == '$';
                const char *inserted = "";

                if (is_escaped) {
                        inserted = "{";
                        text = pipit_arena_strndup(resolver->arena, text, n);
                        dollar += 2;
                } else if (dollar) {
                        const struct scenario_value *value = variable_at(resolver, dollar, &dollar);

                        inserted = value ? text_of(resolver, value) : NULL;
                        if (!inserted)
                                return NULL;
                }
                if (!text)
                        break;
                resolved = pipit_arena_printf(
                        resolver->arena, "%s%.*s%s", resolved, (int)n, text, inserted);
                text = dollar ? dollar : "";
        }

        if (!resolved || !text)
                resolver->problems->out_of_memory = true;
        return text ? resolved : NULL;
}

static struct scenario_value *resolve_string(struct resolver *resolver,
                                             const struct scenario_value *value)
{
        struct scenario_value *resolved;

        resolver->value = value;
        resolver->is_unknown = false;
        if (strncmp(value->text, "${", 2) == 0 &&
            strchr(value->text, '}') == value->text + value->n_text - 1) {
                const char *end;
                const struct scenario_value *whole = variable_at(resolver, value->text, &end);

                if (!whole)
                        return NULL;
                resolved = scenario_value_copy(resolver->arena, whole);
        } else {
                const char *text = resolve_text(resolver, value->text);

                if (!text)
                        return NULL;
                resolved = scenario_string_new(resolver->arena, text);
        }

        if (!resolved) {
                resolver->problems->out_of_memory = true;
                return NULL;
        }
        resolved->place = value->place;
        resolved->is_unknown = resolver->is_unknown;
        return resolved;
}

static struct scenario_value *resolve(struct resolver *resolver, const struct scenario_value *value)
{
        struct scenario_value *copy;
        bool ok = true;

        if (value->type == PIPIT_JSON_STRING && strstr(value->text, "${"))
                return resolve_string(resolver, value);

        copy = scenario_value_new(resolver->arena, value->type);
        if (!copy) {
                resolver->problems->out_of_memory = true;
                return NULL;
        }
        *copy = *value;
        copy->first = copy->last = copy->next = NULL;
        copy->n_children = 0;

        for (const struct scenario_value *child = value->first; child; child = child->next) {
                struct scenario_value *resolved = resolve(resolver, child);

                if (resolved)
                        resolved->key_place = child->key_place;
                else
                        ok = false;
                scenario_value_append(copy, child->key, resolved);
        }

        return ok ? copy : NULL;
}

struct scenario_value *scenario_resolve(const struct scenario_value *value,
                                        const struct scenario_scope *scope,
                                        struct pipit_arena *arena,
                                        struct scenario_problems *problems)
{
        struct resolver resolver = {.scope = scope, .arena = arena, .problems = problems};

        return resolve(&resolver, value);
}
