/*
 * Values of scenarios: what a file holds, and what a server replied
 *
 * A tree as of JSON, in which everything knows where in a file it stands.
 * Immutable once made, but for the file's owner; lives in an arena.
 */

#ifndef TOOLS_CLI_SCENARIO_VALUE_H
#define TOOLS_CLI_SCENARIO_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/json/value.h"

/* Both count from 1, columns in characters; line 0: in no file. */
struct scenario_place {
        const char *file;
        size_t line;
        size_t column;
};

struct scenario_value {
        enum pipit_json_type type;
        bool boolean;
        bool is_default;  /* of a reply: a field that is empty, and was not sent */
        bool is_unknown;  /* its variables have no values yet */
        const char *text; /* a string's content or a number's digits, NUL-terminated; else NULL */
        size_t n_text;
        struct scenario_place place;

        /* as a member of an object */
        const char *key;
        struct scenario_place key_place;

        /* of arrays and objects, in order */
        struct scenario_value *first;
        struct scenario_value *last;
        size_t n_children;

        struct scenario_value *next; /* the next member or element of what holds this one */
};

/* All of these: NULL if out of memory. */
struct scenario_value *scenario_value_new(struct pipit_arena *arena, enum pipit_json_type type);
struct scenario_value *scenario_string_new(struct pipit_arena *arena, const char *text);
struct scenario_value *scenario_number_new(struct pipit_arena *arena, const char *digits);

/* Without key and next: free to be put elsewhere. The copy is deep. */
struct scenario_value *scenario_value_copy(struct pipit_arena *arena,
                                           const struct scenario_value *value);

/* Puts @child, which may be NULL (then it does nothing), last; @key is borrowed, NULL in arrays. */
void scenario_value_append(struct scenario_value *parent,
                           const char *key,
                           struct scenario_value *child);

/* The member named @key of an object; NULL: there is none, or @object is NULL or something else. */
const struct scenario_value *scenario_value_member(const struct scenario_value *object,
                                                   const char *key);

/* "a text", "a number", "a list": for messages. */
const char *scenario_type_name(enum pipit_json_type type);

/* As JSON on one line. */
char *scenario_value_json(const struct scenario_value *value, struct pipit_arena *arena);

/*
 * What JSON text holds. @file is of all places, may be NULL. A failure's
 * message, in @arena, begins "LINE:COLUMN: ".
 */
enum pipit_status scenario_value_parse(const char *text,
                                       size_t n_bytes,
                                       const char *file,
                                       struct pipit_arena *arena,
                                       struct scenario_value **ret_value,
                                       struct pipit_error *ret_error);

/* Which part of @value an error at byte @offset of its JSON is about. */
const struct scenario_value *scenario_value_at(const struct scenario_value *value,
                                               const char *json,
                                               size_t offset);

#endif
