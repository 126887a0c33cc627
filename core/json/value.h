/*
 * JSON text -> a tree of values (RFC 8259, strictly)
 *
 * Every value knows where in the text it stands, and a number keeps its digits:
 * both are needed to say what is wrong with a message, and where. Knows nothing
 * of protobuf.
 */

#ifndef CORE_JSON_VALUE_H
#define CORE_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/status.h"

enum pipit_json_type {
        PIPIT_JSON_NULL,
        PIPIT_JSON_BOOL,
        PIPIT_JSON_NUMBER,
        PIPIT_JSON_STRING,
        PIPIT_JSON_ARRAY,
        PIPIT_JSON_OBJECT,
};

/* How deep arrays and objects may nest; as deep as protobuf's own parsers go. */
#define PIPIT_JSON_DEPTH_MAX 100

struct pipit_json_value {
        enum pipit_json_type type;
        bool boolean;
        const char *text; /* a string's content or a number's digits, NUL-terminated; else NULL */
        size_t n_text;
        const char *key; /* in an object: this member's name; else NULL */
        size_t offset;   /* of its first byte in the text */

        /* of arrays and objects, in the order of the text */
        struct pipit_json_value *first;
        size_t n_children;

        struct pipit_json_value *next; /* the next member or element of what holds this one */
};

/* What an error names: both count from 1, columns in characters. */
struct pipit_json_position {
        size_t line;
        size_t column;
};

struct pipit_json_position pipit_json_position_of(const char *text, size_t n_bytes, size_t offset);

/*
 * Parses all of @text into @arena. INVALID_ARGUMENT (JSON_INVALID): the message,
 * in @arena, begins "LINE:COLUMN: ". Also refused: a name twice in an object,
 * text that is not UTF-8, and \u0000, which no string of a message can hold.
 * RESOURCE_EXHAUSTED: out of memory.
 */
enum pipit_status pipit_json_parse(const char *text,
                                   size_t n_bytes,
                                   struct pipit_arena *arena,
                                   struct pipit_json_value **ret_value,
                                   struct pipit_error *ret_error);

/* The member named @key of an object, or NULL. */
const struct pipit_json_value *pipit_json_member(const struct pipit_json_value *object,
                                                 const char *key);

#endif
