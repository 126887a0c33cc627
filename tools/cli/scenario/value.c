#include "tools/cli/scenario/value.h"

#include <string.h>

#include "core/json/writer.h"

struct scenario_value *scenario_value_new(struct pipit_arena *arena, enum pipit_json_type type)
{
        struct scenario_value *value = pipit_arena_zalloc(arena, sizeof(*value));

        if (value)
                value->type = type;
        return value;
}

static struct scenario_value *text_new(struct pipit_arena *arena,
                                       enum pipit_json_type type,
                                       const char *text)
{
        struct scenario_value *value = scenario_value_new(arena, type);

        if (!value)
                return NULL;

        value->n_text = strlen(text);
        value->text = pipit_arena_strndup(arena, text, value->n_text);
        return value->text ? value : NULL;
}

struct scenario_value *scenario_string_new(struct pipit_arena *arena, const char *text)
{
        return text_new(arena, PIPIT_JSON_STRING, text);
}

struct scenario_value *scenario_number_new(struct pipit_arena *arena, const char *digits)
{
        return text_new(arena, PIPIT_JSON_NUMBER, digits);
}

void scenario_value_append(struct scenario_value *parent,
                           const char *key,
                           struct scenario_value *child)
{
        if (!child)
                return;

        child->key = key;
        child->next = NULL;
        if (parent->last)
                parent->last->next = child;
        else
                parent->first = child;
        parent->last = child;
        parent->n_children++;
}

struct scenario_value *scenario_value_copy(struct pipit_arena *arena,
                                           const struct scenario_value *value)
{
        struct scenario_value *copy = scenario_value_new(arena, value->type);

        if (!copy)
                return NULL;

        *copy = *value;
        copy->key = NULL;
        copy->next = copy->first = copy->last = NULL;
        copy->n_children = 0;
        if (value->text)
                copy->text = pipit_arena_strndup(arena, value->text, value->n_text);
        if (value->text && !copy->text)
                return NULL;

        for (const struct scenario_value *child = value->first; child; child = child->next) {
                struct scenario_value *child_copy = scenario_value_copy(arena, child);
                const char *key = child->key ? pipit_arena_strdup(arena, child->key) : NULL;

                if (!child_copy || (child->key && !key))
                        return NULL;
                scenario_value_append(copy, key, child_copy);
        }

        return copy;
}

const struct scenario_value *scenario_value_member(const struct scenario_value *object,
                                                   const char *key)
{
        if (!object || object->type != PIPIT_JSON_OBJECT)
                return NULL;

        for (const struct scenario_value *child = object->first; child; child = child->next) {
                if (strcmp(child->key, key) == 0)
                        return child;
        }

        return NULL;
}

const char *scenario_type_name(enum pipit_json_type type)
{
        switch (type) {
        case PIPIT_JSON_NULL:
                return "null";
        case PIPIT_JSON_BOOL:
                return "true or false";
        case PIPIT_JSON_NUMBER:
                return "a number";
        case PIPIT_JSON_STRING:
                return "a text";
        case PIPIT_JSON_ARRAY:
                return "a list";
        case PIPIT_JSON_OBJECT:
                return "a map";
        }

        return "a value";
}

/* --- as JSON ------------------------------------------------------------------ */

static void write_value(struct pipit_json_writer *writer, const struct scenario_value *value)
{
        switch (value->type) {
        case PIPIT_JSON_NULL:
                pipit_json_writer_raw(writer, "null");
                return;
        case PIPIT_JSON_BOOL:
                pipit_json_writer_raw(writer, value->boolean ? "true" : "false");
                return;
        case PIPIT_JSON_NUMBER:
                pipit_json_writer_raw(writer, value->text);
                return;
        case PIPIT_JSON_STRING:
                pipit_json_writer_string(writer, value->text, value->n_text);
                return;
        case PIPIT_JSON_ARRAY:
                pipit_json_writer_begin(writer, '[');
                for (const struct scenario_value *child = value->first; child; child = child->next)
                        write_value(writer, child);
                pipit_json_writer_end(writer, ']');
                return;
        case PIPIT_JSON_OBJECT:
                pipit_json_writer_begin(writer, '{');
                for (const struct scenario_value *child = value->first; child;
                     child = child->next) {
                        pipit_json_writer_key(writer, child->key);
                        write_value(writer, child);
                }
                pipit_json_writer_end(writer, '}');
                return;
        }
}

char *scenario_value_json(const struct scenario_value *value, struct pipit_arena *arena)
{
        struct pipit_json_writer writer = {.arena = arena};

        write_value(&writer, value);
        return pipit_json_writer_finish(&writer);
}

/* --- of JSON ------------------------------------------------------------------- */

struct source {
        const char *file;
        const char *text;
        struct pipit_arena *arena;

        /* the last place that was asked for: values come in the order of the text */
        size_t offset;
        struct pipit_json_position position;
};

static struct scenario_place place_of(struct source *source, size_t offset)
{
        for (; source->offset < offset; source->offset++) {
                if (source->text[source->offset] == '\n') {
                        source->position.line++;
                        source->position.column = 1;
                } else if (((unsigned char)source->text[source->offset] & 0xc0) != 0x80) {
                        source->position.column++;
                }
        }

        return (struct scenario_place){
                .file = source->file,
                .line = source->position.line,
                .column = source->position.column,
        };
}

static struct scenario_value *convert(struct source *source, const struct pipit_json_value *json)
{
        struct scenario_value *value = scenario_value_new(source->arena, json->type);

        if (!value)
                return NULL;

        value->boolean = json->boolean;
        value->text = json->text;
        value->n_text = json->n_text;
        value->place = value->key_place = place_of(source, json->offset);

        for (const struct pipit_json_value *child = json->first; child; child = child->next) {
                struct scenario_value *converted = convert(source, child);

                if (!converted)
                        return NULL;
                scenario_value_append(value, child->key, converted);
        }

        return value;
}

enum pipit_status scenario_value_parse(const char *text,
                                       size_t n_bytes,
                                       const char *file,
                                       struct pipit_arena *arena,
                                       struct scenario_value **ret_value,
                                       struct pipit_error *ret_error)
{
        struct source source = {
                .file = file, .text = text, .arena = arena, .position = {.line = 1, .column = 1}};
        struct pipit_json_value *json;
        enum pipit_status status = pipit_json_parse(text, n_bytes, arena, &json, ret_error);

        if (status != PIPIT_OK)
                return status;

        *ret_value = convert(&source, json);
        if (*ret_value)
                return PIPIT_OK;

        *ret_error = pipit_error_make(
                PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "OUT_OF_MEMORY", "out of memory");
        return PIPIT_RESOURCE_EXHAUSTED;
}

/* --- which part ------------------------------------------------------------------ */

/* Both trees have one shape; the second knows the offsets. */
static const struct scenario_value *part_at(const struct scenario_value *value,
                                            const struct pipit_json_value *json,
                                            size_t offset)
{
        const struct scenario_value *child = value->first, *part = NULL;
        const struct pipit_json_value *json_part = NULL;

        for (const struct pipit_json_value *json_child = json->first; json_child && child;
             json_child = json_child->next, child = child->next) {
                if (json_child->offset > offset)
                        break;
                part = child;
                json_part = json_child;
        }

        return part ? part_at(part, json_part, offset) : value;
}

const struct scenario_value *scenario_value_at(const struct scenario_value *value,
                                               const char *json,
                                               size_t offset)
{
        struct pipit_arena arena = {0};
        struct pipit_error error = {0};
        struct pipit_json_value *parsed;
        const struct scenario_value *part = value;

        if (pipit_json_parse(json, strlen(json), &arena, &parsed, &error) == PIPIT_OK)
                part = part_at(value, parsed, offset);

        pipit_arena_deinit(&arena);
        return part;
}
