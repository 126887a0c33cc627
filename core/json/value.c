#include "core/json/value.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/json/number.h"

/* Members of an object are compared pairwise up to this many, sorted from there on. */
#define PAIRWISE_MAX 16

struct parser {
        const char *text;
        size_t n_bytes;
        size_t at;
        struct pipit_arena *arena;
        struct pipit_error *error;
};

struct pipit_json_position pipit_json_position_of(const char *text, size_t n_bytes, size_t offset)
{
        struct pipit_json_position position = {1, 1};

        for (size_t i = 0; i < offset && i < n_bytes; i++) {
                if (text[i] == '\n') {
                        position.line++;
                        position.column = 1;
                } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
                        position.column++;
                }
        }

        return position;
}

static enum pipit_status out_of_memory(struct parser *parser)
{
        *parser->error = pipit_error_make(
                PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "OUT_OF_MEMORY", "out of memory");
        return PIPIT_RESOURCE_EXHAUSTED;
}

static enum pipit_status fail_at(struct parser *parser, size_t offset, const char *problem)
{
        struct pipit_json_position position =
                pipit_json_position_of(parser->text, parser->n_bytes, offset);
        char *message = pipit_arena_printf(
                parser->arena, "%zu:%zu: %s", position.line, position.column, problem);

        if (!message)
                return out_of_memory(parser);

        *parser->error =
                pipit_error_make(PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "JSON_INVALID", message);
        return PIPIT_INVALID_ARGUMENT;
}

static char peek(const struct parser *parser)
{
        if (parser->at >= parser->n_bytes)
                return '\0';

        return parser->text[parser->at];
}

static void skip_space(struct parser *parser)
{
        while (parser->at < parser->n_bytes && strchr(" \t\r\n", parser->text[parser->at]) &&
               parser->text[parser->at] != '\0')
                parser->at++;
}

/* "expected X, found Y". */
static enum pipit_status fail_expected(struct parser *parser, const char *expected)
{
        size_t n_left = parser->n_bytes - parser->at;
        uint32_t code_point;
        size_t n_found =
                pipit_utf8_decode((const uint8_t *)parser->text + parser->at, n_left, &code_point);
        char *problem;

        if (n_left == 0)
                problem = pipit_arena_printf(
                        parser->arena, "expected %s, but the text ends", expected);
        else if (n_found == 0 || code_point < 0x20)
                problem = pipit_arena_printf(parser->arena,
                                             "expected %s, found byte 0x%02x",
                                             expected,
                                             (unsigned char)parser->text[parser->at]);
        else
                problem = pipit_arena_printf(parser->arena,
                                             "expected %s, found '%.*s'",
                                             expected,
                                             (int)n_found,
                                             parser->text + parser->at);

        return problem ? fail_at(parser, parser->at, problem) : out_of_memory(parser);
}

/* --- strings --------------------------------------------------------------- */

static bool parse_hex4(const struct parser *parser, size_t at, uint32_t *ret_unit)
{
        uint32_t unit = 0;

        if (parser->n_bytes - at < 4)
                return false;

        for (size_t i = at; i < at + 4; i++) {
                char c = parser->text[i];

                if (c >= '0' && c <= '9')
                        unit = unit << 4 | (uint32_t)(c - '0');
                else if (c >= 'a' && c <= 'f')
                        unit = unit << 4 | (uint32_t)(c - 'a' + 10);
                else if (c >= 'A' && c <= 'F')
                        unit = unit << 4 | (uint32_t)(c - 'A' + 10);
                else
                        return false;
        }

        *ret_unit = unit;
        return true;
}

static size_t encode_utf8(uint32_t code_point, char *ret_bytes)
{
        if (code_point < 0x80) {
                ret_bytes[0] = (char)code_point;
                return 1;
        }
        if (code_point < 0x800) {
                ret_bytes[0] = (char)(0xc0 | code_point >> 6);
                ret_bytes[1] = (char)(0x80 | (code_point & 0x3f));
                return 2;
        }
        if (code_point < 0x10000) {
                ret_bytes[0] = (char)(0xe0 | code_point >> 12);
                ret_bytes[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
                ret_bytes[2] = (char)(0x80 | (code_point & 0x3f));
                return 3;
        }

        ret_bytes[0] = (char)(0xf0 | code_point >> 18);
        ret_bytes[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
        ret_bytes[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
        ret_bytes[3] = (char)(0x80 | (code_point & 0x3f));
        return 4;
}

/* At the 'u' of an escape; leaves parser->at behind it, or behind a pair of them. */
static enum pipit_status parse_unicode_escape(struct parser *parser, char **output)
{
        size_t start = parser->at - 1;
        uint32_t code_point, low;

        if (!parse_hex4(parser, parser->at + 1, &code_point))
                return fail_at(parser, start, "\\u needs four hexadecimal digits");
        parser->at += 5;

        if (code_point == 0)
                return fail_at(parser, start, "\\u0000 cannot be in a string of a message");
        if (code_point >= 0xdc00 && code_point <= 0xdfff)
                return fail_at(parser, start, "half a surrogate pair: no such character");

        if (code_point >= 0xd800 && code_point <= 0xdbff) {
                if (parser->n_bytes - parser->at < 6 || parser->text[parser->at] != '\\' ||
                    parser->text[parser->at + 1] != 'u' ||
                    !parse_hex4(parser, parser->at + 2, &low) || low < 0xdc00 || low > 0xdfff)
                        return fail_at(parser, start, "half a surrogate pair: no such character");
                parser->at += 6;
                code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
        }

        *output += encode_utf8(code_point, *output);
        return PIPIT_OK;
}

static enum pipit_status parse_escape(struct parser *parser, char **output)
{
        static const char names[] = "\"\\/bfnrt";
        static const char values[] = "\"\\/\b\f\n\r\t";
        char c;

        parser->at++;
        c = peek(parser);
        if (c == 'u')
                return parse_unicode_escape(parser, output);

        const char *name = c ? strchr(names, c) : NULL;

        if (!name)
                return fail_at(
                        parser,
                        parser->at - 1,
                        "no such escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");

        *(*output)++ = values[name - names];
        parser->at++;
        return PIPIT_OK;
}

static enum pipit_status parse_character(struct parser *parser, char **output)
{
        const uint8_t *bytes = (const uint8_t *)parser->text + parser->at;
        uint32_t code_point;
        size_t n_bytes = pipit_utf8_decode(bytes, parser->n_bytes - parser->at, &code_point);

        if (n_bytes == 0)
                return fail_at(parser, parser->at, "not UTF-8");
        if (code_point < 0x20)
                return fail_at(parser,
                               parser->at,
                               code_point == '\n' ? "a string ends on its line; write \\n"
                                                  : "a control character in a string must be "
                                                    "written as \\u00XX");

        memcpy(*output, bytes, n_bytes);
        *output += n_bytes;
        parser->at += n_bytes;
        return PIPIT_OK;
}

/* The raw length up to the closing quote bounds what the content takes. */
static size_t raw_string_bytes(const struct parser *parser)
{
        size_t at = parser->at;

        while (at < parser->n_bytes && parser->text[at] != '"')
                at += parser->text[at] == '\\' ? 2 : 1;

        return (at < parser->n_bytes ? at : parser->n_bytes) - parser->at;
}

/* At the opening quote. */
static enum pipit_status parse_string(struct parser *parser,
                                      const char **ret_text,
                                      size_t *ret_n_text)
{
        size_t start = parser->at++;
        char *text = pipit_arena_alloc(parser->arena, raw_string_bytes(parser) + 1);
        char *output = text;
        enum pipit_status status;

        if (!text)
                return out_of_memory(parser);

        while (parser->at < parser->n_bytes && parser->text[parser->at] != '"') {
                status = peek(parser) == '\\' ? parse_escape(parser, &output)
                                              : parse_character(parser, &output);
                if (status != PIPIT_OK)
                        return status;
        }

        if (parser->at == parser->n_bytes)
                return fail_at(parser, start, "this string has no closing quote");

        parser->at++;
        *output = '\0';
        *ret_text = text;
        *ret_n_text = (size_t)(output - text);
        return PIPIT_OK;
}

/* --- objects and arrays ---------------------------------------------------- */

static enum pipit_status parse_value(struct parser *parser,
                                     unsigned depth,
                                     struct pipit_json_value *value);

static int compare_keys(const void *a, const void *b)
{
        const struct pipit_json_value *const *left = a, *const *right = b;
        int order = strcmp((*left)->key, (*right)->key);

        if (order != 0)
                return order;

        return (*left)->offset < (*right)->offset ? -1 : 1;
}

static const struct pipit_json_value *find_duplicate_pairwise(const struct pipit_json_value *object)
{
        for (const struct pipit_json_value *a = object->first; a; a = a->next) {
                for (const struct pipit_json_value *b = a->next; b; b = b->next) {
                        if (strcmp(a->key, b->key) == 0)
                                return b;
                }
        }

        return NULL;
}

static enum pipit_status find_duplicate(struct parser *parser,
                                        const struct pipit_json_value *object,
                                        const struct pipit_json_value **ret_duplicate)
{
        size_t n = object->n_children;

        *ret_duplicate = NULL;
        if (n <= PAIRWISE_MAX) {
                *ret_duplicate = find_duplicate_pairwise(object);
                return PIPIT_OK;
        }

        const struct pipit_json_value **sorted =
                pipit_arena_alloc(parser->arena, n * sizeof(*sorted));
        size_t i = 0;

        if (!sorted)
                return out_of_memory(parser);

        for (const struct pipit_json_value *member = object->first; member; member = member->next)
                sorted[i++] = member;
        qsort(sorted, n, sizeof(*sorted), compare_keys);

        for (i = 1; i < n && !*ret_duplicate; i++) {
                if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
                        *ret_duplicate = sorted[i];
        }

        return PIPIT_OK;
}

static enum pipit_status refuse_duplicates(struct parser *parser,
                                           const struct pipit_json_value *object)
{
        const struct pipit_json_value *duplicate;
        enum pipit_status status = find_duplicate(parser, object, &duplicate);

        if (status != PIPIT_OK || !duplicate)
                return status;

        char *problem = pipit_arena_printf(
                parser->arena, "\"%s\" is in this object already", duplicate->key);

        return problem ? fail_at(parser, duplicate->offset, problem) : out_of_memory(parser);
}

static enum pipit_status parse_key(struct parser *parser, const char **ret_key)
{
        size_t n_key;

        if (peek(parser) != '"')
                return fail_expected(parser, "a name in double quotes");

        enum pipit_status status = parse_string(parser, ret_key, &n_key);

        if (status != PIPIT_OK)
                return status;

        skip_space(parser);
        if (peek(parser) != ':')
                return fail_expected(parser, "':' after the name");

        parser->at++;
        skip_space(parser);
        return PIPIT_OK;
}

static enum pipit_status parse_child(struct parser *parser,
                                     unsigned depth,
                                     bool keyed,
                                     struct pipit_json_value **ret_child)
{
        const char *key = NULL;
        enum pipit_status status = keyed ? parse_key(parser, &key) : PIPIT_OK;

        if (status != PIPIT_OK)
                return status;

        struct pipit_json_value *child = pipit_arena_zalloc(parser->arena, sizeof(*child));

        if (!child)
                return out_of_memory(parser);

        status = parse_value(parser, depth, child);
        child->key = key;
        *ret_child = child;
        return status;
}

/* At the opening bracket. */
static enum pipit_status parse_children(struct parser *parser,
                                        unsigned depth,
                                        struct pipit_json_value *value)
{
        bool keyed = value->type == PIPIT_JSON_OBJECT;
        char closing = keyed ? '}' : ']';
        struct pipit_json_value **tail = &value->first;

        if (depth == PIPIT_JSON_DEPTH_MAX)
                return fail_at(parser, parser->at, "nested more than 100 levels deep");

        parser->at++;
        skip_space(parser);
        if (peek(parser) == closing) {
                parser->at++;
                return PIPIT_OK;
        }

        for (;;) {
                enum pipit_status status = parse_child(parser, depth + 1, keyed, tail);

                if (status != PIPIT_OK)
                        return status;
                tail = &(*tail)->next;
                value->n_children++;

                skip_space(parser);
                if (peek(parser) == closing)
                        break;
                if (peek(parser) != ',')
                        return fail_expected(parser, keyed ? "',' or '}'" : "',' or ']'");
                parser->at++;
                skip_space(parser);
        }

        parser->at++;
        return keyed ? refuse_duplicates(parser, value) : PIPIT_OK;
}

/* --- values ------------------------------------------------------------------ */

static enum pipit_status parse_number(struct parser *parser, struct pipit_json_value *value)
{
        const char *text = parser->text + parser->at;
        size_t n_text = pipit_number_scan(text, parser->n_bytes - parser->at);

        if (n_text == 0)
                return fail_at(parser, parser->at, "this is not a number as JSON writes them");

        parser->at += n_text;
        if (peek(parser) >= '0' && peek(parser) <= '9')
                return fail_at(parser, value->offset, "a number cannot begin with 0");

        value->type = PIPIT_JSON_NUMBER;
        value->text = pipit_arena_strndup(parser->arena, text, n_text);
        value->n_text = n_text;
        return value->text ? PIPIT_OK : out_of_memory(parser);
}

static bool take_word(struct parser *parser, const char *word)
{
        size_t n = strlen(word);

        if (parser->n_bytes - parser->at < n || memcmp(parser->text + parser->at, word, n) != 0)
                return false;

        parser->at += n;
        return true;
}

static enum pipit_status parse_word(struct parser *parser, struct pipit_json_value *value)
{
        if (take_word(parser, "null")) {
                value->type = PIPIT_JSON_NULL;
        } else if (take_word(parser, "true")) {
                value->type = PIPIT_JSON_BOOL;
                value->boolean = true;
        } else if (take_word(parser, "false")) {
                value->type = PIPIT_JSON_BOOL;
        } else {
                return fail_expected(parser, "a value");
        }

        return PIPIT_OK;
}

static enum pipit_status parse_value(struct parser *parser,
                                     unsigned depth,
                                     struct pipit_json_value *value)
{
        char c = peek(parser);

        value->offset = parser->at;
        if (c == '{' || c == '[') {
                value->type = c == '{' ? PIPIT_JSON_OBJECT : PIPIT_JSON_ARRAY;
                return parse_children(parser, depth, value);
        }
        if (c == '"') {
                value->type = PIPIT_JSON_STRING;
                return parse_string(parser, &value->text, &value->n_text);
        }
        if (c == '-' || (c >= '0' && c <= '9'))
                return parse_number(parser, value);

        return parse_word(parser, value);
}

enum pipit_status pipit_json_parse(const char *text,
                                   size_t n_bytes,
                                   struct pipit_arena *arena,
                                   struct pipit_json_value **ret_value,
                                   struct pipit_error *ret_error)
{
        struct parser parser = {
                .text = text, .n_bytes = n_bytes, .arena = arena, .error = ret_error};
        struct pipit_json_value *value = pipit_arena_zalloc(arena, sizeof(*value));
        enum pipit_status status;

        if (!value)
                return out_of_memory(&parser);

        skip_space(&parser);
        status = parse_value(&parser, 0, value);
        if (status != PIPIT_OK)
                return status;

        skip_space(&parser);
        if (parser.at != n_bytes)
                return fail_expected(&parser, "nothing after the value");

        *ret_value = value;
        return PIPIT_OK;
}

const struct pipit_json_value *pipit_json_member(const struct pipit_json_value *object,
                                                 const char *key)
{
        for (const struct pipit_json_value *member = object->first; member; member = member->next) {
                if (strcmp(member->key, key) == 0)
                        return member;
        }

        return NULL;
}
