#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/json/field.h"
#include "core/json/json.h"
#include "core/json/known_type.h"
#include "core/json/nearest.h"
#include "core/json/reader.h"

/* What of a wrong value, and of a path to it, an error shows. */
#define SHOWN_VALUE_BYTES 40
#define SHOWN_PATH_BYTES  256

/* Fields that an error lists when no name is near. */
#define SHOWN_FIELDS_MAX 12

/* --- errors ---------------------------------------------------------------- */

enum pipit_status json_read_out_of_memory(struct json_reader *reader)
{
        *reader->error = pipit_error_make(
                PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "OUT_OF_MEMORY", "out of memory");
        return PIPIT_RESOURCE_EXHAUSTED;
}

static size_t format_path(const struct json_path *path, char *text, size_t n_text)
{
        size_t n = path->parent ? format_path(path->parent, text, n_text) : 0;
        int n_more;

        if (path->name)
                n_more = snprintf(text + n, n_text - n, "%s%s", n > 0 ? "." : "", path->name);
        else if (path->key)
                n_more = snprintf(text + n, n_text - n, "[\"%s\"]", path->key);
        else
                n_more = snprintf(text + n, n_text - n, "[%zu]", path->index);

        return n_more < 0 || (size_t)n_more >= n_text - n ? n_text - 1 : n + (size_t)n_more;
}

/* As much of @text as is shown, in whole characters. */
static int shown_bytes(const char *text, size_t n_text)
{
        if (n_text <= SHOWN_VALUE_BYTES)
                return (int)n_text;

        int n = SHOWN_VALUE_BYTES;

        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
                n--;

        return n;
}

static void format_value(const struct pipit_json_value *value, char *text, size_t n_text)
{
        const char *quote = value->type == PIPIT_JSON_STRING ? "\"" : "";
        int n_shown;

        switch (value->type) {
        case PIPIT_JSON_NULL:
                (void)snprintf(text, n_text, "null");
                break;
        case PIPIT_JSON_BOOL:
                (void)snprintf(text, n_text, value->boolean ? "true" : "false");
                break;
        case PIPIT_JSON_ARRAY:
                (void)snprintf(text, n_text, "an array");
                break;
        case PIPIT_JSON_OBJECT:
                (void)snprintf(text, n_text, "an object");
                break;
        case PIPIT_JSON_NUMBER:
        case PIPIT_JSON_STRING:
                n_shown = shown_bytes(value->text, value->n_text);
                (void)snprintf(text,
                               n_text,
                               "%s%.*s%s%s",
                               quote,
                               n_shown,
                               value->text,
                               (size_t)n_shown < value->n_text ? "..." : "",
                               quote);
                break;
        }
}

enum pipit_status json_read_fail(struct json_reader *reader,
                                 const struct pipit_json_value *value,
                                 const struct json_path *path,
                                 bool show,
                                 const char *format,
                                 ...)
{
        struct pipit_json_position position =
                pipit_json_position_of(reader->text, reader->n_bytes, value->offset);
        char where[SHOWN_PATH_BYTES] = "", what[SHOWN_VALUE_BYTES + 8] = "", problem[1024];
        va_list arguments;

        if (path)
                (void)format_path(path, where, sizeof(where));
        if (show)
                format_value(value, what, sizeof(what));

        va_start(arguments, format);
        (void)vsnprintf(problem, sizeof(problem), format, arguments);
        va_end(arguments);

        char *message = pipit_arena_printf(reader->arena,
                                           "%zu:%zu: %s%s%s%s%s",
                                           position.line,
                                           position.column,
                                           where,
                                           path ? ": " : "",
                                           what,
                                           show ? " " : "",
                                           problem);

        if (!message)
                return json_read_out_of_memory(reader);

        *reader->error =
                pipit_error_make(PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "JSON_INVALID", message);
        return PIPIT_INVALID_ARGUMENT;
}

/* --- fields ---------------------------------------------------------------- */

static bool has_json_name(const struct json_reader *reader,
                          const ProtobufCMessageDescriptor *descriptor,
                          const ProtobufCFieldDescriptor *field,
                          const char *key)
{
        const char *given = pipit_schema_json_name(reader->schema, descriptor, field);

        return given ? strcmp(given, key) == 0 : pipit_field_is_camel_case(field->name, key);
}

/*
 * A JSON name goes before another field's own name: it is what is written. Most
 * are their field's own name, too, which is found without a look at each.
 */
static bool find_field(const struct json_reader *reader,
                       const ProtobufCMessageDescriptor *descriptor,
                       const char *key,
                       const ProtobufCFieldDescriptor **ret_field)
{
        *ret_field = protobuf_c_message_descriptor_get_field_by_name(descriptor, key);
        if (*ret_field && has_json_name(reader, descriptor, *ret_field, key))
                return true;

        for (unsigned i = 0; i < descriptor->n_fields; i++) {
                if (has_json_name(reader, descriptor, &descriptor->fields[i], key)) {
                        *ret_field = &descriptor->fields[i];
                        return true;
                }
        }

        return *ret_field != NULL;
}

static enum pipit_status fail_unknown_field(struct json_reader *reader,
                                            const ProtobufCMessageDescriptor *descriptor,
                                            const struct pipit_json_value *value,
                                            const struct json_path *path)
{
        struct pipit_nearest nearest = {.wanted = value->key};
        char names[512] = "";
        size_t n = 0;

        for (unsigned i = 0; i < descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
                const char *name =
                        pipit_schema_json_key(reader->schema, descriptor, field, reader->arena);

                if (!name)
                        name = field->name;
                pipit_nearest_consider(&nearest, name);
                pipit_nearest_consider(&nearest, field->name);
                if (i < SHOWN_FIELDS_MAX && n < sizeof(names))
                        n += (size_t)snprintf(
                                names + n, sizeof(names) - n, "%s%s", i > 0 ? ", " : "", name);
        }

        if (nearest.name)
                return json_read_fail(reader,
                                      value,
                                      path,
                                      false,
                                      "%s has no such field; did you mean \"%s\"?",
                                      descriptor->name,
                                      nearest.name);

        return json_read_fail(reader,
                              value,
                              path,
                              false,
                              "%s has no such field; it has %s%s",
                              descriptor->name,
                              descriptor->n_fields > 0 ? names : "none",
                              descriptor->n_fields > SHOWN_FIELDS_MAX ? ", ..." : "");
}

/* null means absent, but for the types that have a null of their own. */
static bool takes_null(const ProtobufCFieldDescriptor *field)
{
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                const ProtobufCMessageDescriptor *descriptor = field->descriptor;

                return strcmp(descriptor->name, "google.protobuf.Value") == 0;
        }
        if (field->type == PROTOBUF_C_TYPE_ENUM) {
                const ProtobufCEnumDescriptor *descriptor = field->descriptor;

                return strcmp(descriptor->name, "google.protobuf.NullValue") == 0;
        }

        return false;
}

enum pipit_status json_read_single(struct json_reader *reader,
                                   const ProtobufCFieldDescriptor *field,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   void *slot)
{
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
                return json_read_scalar(reader, field, value, path, slot);

        ProtobufCMessage *message = pipit_schema_message_new(field->descriptor, reader->arena);

        if (!message)
                return json_read_out_of_memory(reader);

        *(ProtobufCMessage **)slot = message;
        return json_read_message(reader, message, value, path);
}

enum pipit_status json_read_into(struct json_reader *reader,
                                 ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field,
                                 const struct pipit_json_value *value,
                                 const struct json_path *path)
{
        enum pipit_status status =
                json_read_single(reader, field, value, path, pipit_field_member(message, field));

        if (status == PIPIT_OK)
                pipit_field_mark_set(message, field);
        return status;
}

enum pipit_status json_read_repeated(struct json_reader *reader,
                                     ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *field,
                                     const struct pipit_json_value *value,
                                     const struct json_path *path)
{
        size_t size = pipit_field_size(field->type), i = 0;

        if (value->type != PIPIT_JSON_ARRAY)
                return json_read_fail(reader,
                                      value,
                                      path,
                                      true,
                                      "is not an array (repeated %s)",
                                      pipit_field_type_name(field->type));

        char *elements = pipit_arena_zalloc(reader->arena, value->n_children * size);

        if (!elements)
                return json_read_out_of_memory(reader);

        for (const struct pipit_json_value *child = value->first; child; child = child->next, i++) {
                struct json_path here = {.parent = path, .index = i};
                enum pipit_status status;

                if (child->type == PIPIT_JSON_NULL && !takes_null(field))
                        return json_read_fail(
                                reader, child, &here, true, "cannot be an element of an array");

                status = json_read_single(reader, field, child, &here, elements + i * size);
                if (status != PIPIT_OK)
                        return status;
        }

        *pipit_field_count(message, field) = value->n_children;
        *(void **)pipit_field_member(message, field) = elements;
        return PIPIT_OK;
}

static enum pipit_status read_entry(struct json_reader *reader,
                                    const ProtobufCMessageDescriptor *descriptor,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path,
                                    ProtobufCMessage **ret_entry)
{
        const ProtobufCFieldDescriptor *fields = descriptor->fields;
        ProtobufCMessage *entry = pipit_schema_message_new(descriptor, reader->arena);
        enum pipit_status status;

        if (!entry)
                return json_read_out_of_memory(reader);
        if (value->type == PIPIT_JSON_NULL && !takes_null(&fields[1]))
                return json_read_fail(reader, value, path, true, "cannot be a value of a map");

        status = json_read_map_key(
                reader, &fields[0], value, path, pipit_field_member(entry, &fields[0]));
        if (status != PIPIT_OK)
                return status;

        pipit_field_mark_set(entry, &fields[0]);
        *ret_entry = entry;
        return json_read_into(reader, entry, &fields[1], value, path);
}

enum pipit_status json_read_map(struct json_reader *reader,
                                ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field,
                                const struct pipit_json_value *value,
                                const struct json_path *path)
{
        size_t i = 0;

        if (value->type != PIPIT_JSON_OBJECT)
                return json_read_fail(reader, value, path, true, "is not an object (map)");

        ProtobufCMessage **entries =
                pipit_arena_zalloc(reader->arena, value->n_children * sizeof(*entries));

        if (!entries)
                return json_read_out_of_memory(reader);

        for (const struct pipit_json_value *child = value->first; child; child = child->next, i++) {
                struct json_path here = {.parent = path, .key = child->key};
                enum pipit_status status =
                        read_entry(reader, field->descriptor, child, &here, &entries[i]);

                if (status != PIPIT_OK)
                        return status;
        }

        *pipit_field_count(message, field) = value->n_children;
        *(void **)pipit_field_member(message, field) = entries;
        return PIPIT_OK;
}

static enum pipit_status refuse_second_of_oneof(struct json_reader *reader,
                                                const ProtobufCMessage *message,
                                                const ProtobufCFieldDescriptor *field,
                                                const struct pipit_json_value *value,
                                                const struct json_path *path)
{
        const ProtobufCFieldDescriptor *set = pipit_field_set_in_oneof(message, field);

        if (!set)
                return PIPIT_OK;

        return json_read_fail(reader,
                              value,
                              path,
                              false,
                              "\"%s\" is set already, and %s takes only one of them (oneof)",
                              set->name,
                              message->descriptor->name);
}

static enum pipit_status read_field(struct json_reader *reader,
                                    ProtobufCMessage *message,
                                    const ProtobufCFieldDescriptor *field,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path)
{
        enum pipit_status status;

        if (value->type == PIPIT_JSON_NULL &&
            (field->label == PROTOBUF_C_LABEL_REPEATED || !takes_null(field)))
                return PIPIT_OK;
        if (pipit_schema_is_map(reader->schema, message->descriptor, field))
                return json_read_map(reader, message, field, value, path);
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
                return json_read_repeated(reader, message, field, value, path);

        status = refuse_second_of_oneof(reader, message, field, value, path);
        if (status == PIPIT_OK)
                status = json_read_into(reader, message, field, value, path);
        return status;
}

/* --- messages -------------------------------------------------------------- */

/* A null says that a field is absent: twice is too often for it, too. */
enum seen {
        SEEN_NOT,
        SEEN_NULL,
        SEEN_VALUE,
};

static enum pipit_status refuse_missing(struct json_reader *reader,
                                        const ProtobufCMessageDescriptor *descriptor,
                                        const enum seen *seen,
                                        const struct pipit_json_value *value,
                                        const struct json_path *path)
{
        for (unsigned i = 0; i < descriptor->n_fields; i++) {
                if (descriptor->fields[i].label == PROTOBUF_C_LABEL_REQUIRED &&
                    seen[i] != SEEN_VALUE)
                        return json_read_fail(reader,
                                              value,
                                              path,
                                              false,
                                              "%s needs the field \"%s\" (required)",
                                              descriptor->name,
                                              descriptor->fields[i].name);
        }

        return PIPIT_OK;
}

static enum pipit_status read_member(struct json_reader *reader,
                                     ProtobufCMessage *message,
                                     const struct pipit_json_value *member,
                                     const struct json_path *path,
                                     enum seen *seen)
{
        const ProtobufCMessageDescriptor *descriptor = message->descriptor;
        const ProtobufCFieldDescriptor *field;

        if (!find_field(reader, descriptor, member->key, &field))
                return fail_unknown_field(reader, descriptor, member, path);

        enum seen *seen_field = &seen[field - descriptor->fields];

        if (*seen_field != SEEN_NOT)
                return json_read_fail(reader,
                                      member,
                                      path,
                                      false,
                                      "the field \"%s\" is there already, under its other name",
                                      field->name);

        *seen_field = member->type != PIPIT_JSON_NULL || takes_null(field) ? SEEN_VALUE : SEEN_NULL;
        return read_field(reader, message, field, member, path);
}

enum pipit_status json_read_object(struct json_reader *reader,
                                   ProtobufCMessage *message,
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   const char *skip)
{
        const ProtobufCMessageDescriptor *descriptor = message->descriptor;

        if (value->type != PIPIT_JSON_OBJECT)
                return json_read_fail(
                        reader, value, path, true, "is not an object (%s)", descriptor->name);

        enum seen *seen = pipit_arena_zalloc(reader->arena, descriptor->n_fields * sizeof(*seen));

        if (!seen)
                return json_read_out_of_memory(reader);

        for (const struct pipit_json_value *member = value->first; member; member = member->next) {
                struct json_path here = {.parent = path, .name = member->key};

                if (skip && strcmp(member->key, skip) == 0)
                        continue;

                enum pipit_status status = read_member(reader, message, member, &here, seen);

                if (status != PIPIT_OK)
                        return status;
        }

        return refuse_missing(reader, descriptor, seen, value, path);
}

enum pipit_status json_read_message(struct json_reader *reader,
                                    ProtobufCMessage *message,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path)
{
        if (json_known_type(message->descriptor) != KNOWN_NONE)
                return json_read_known(reader, message, value, path);

        return json_read_object(reader, message, value, path, NULL);
}

static bool is_blank(const char *text, size_t n_bytes)
{
        for (size_t i = 0; i < n_bytes; i++) {
                if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
                        return false;
        }

        return true;
}

enum pipit_status pipit_json_read(const ProtobufCMessageDescriptor *descriptor,
                                  const char *text,
                                  size_t n_bytes,
                                  const struct pipit_schema *schema,
                                  struct pipit_arena *arena,
                                  ProtobufCMessage **ret_message,
                                  struct pipit_error *ret_error)
{
        struct json_reader reader = {text, n_bytes, schema, arena, ret_error};
        struct pipit_json_value *value;
        enum pipit_status status;

        if (is_blank(text, n_bytes)) {
                *ret_error = pipit_error_make(PIPIT_INVALID_ARGUMENT,
                                              PIPIT_NOT_RUN,
                                              "JSON_INVALID",
                                              "1:1: there is no JSON; an empty message is {}");
                return PIPIT_INVALID_ARGUMENT;
        }

        status = pipit_json_parse(text, n_bytes, arena, &value, ret_error);
        if (status != PIPIT_OK)
                return status;

        ProtobufCMessage *message = pipit_schema_message_new(descriptor, arena);

        if (!message)
                return json_read_out_of_memory(&reader);

        status = json_read_message(&reader, message, value, NULL);
        if (status == PIPIT_OK)
                *ret_message = message;
        return status;
}
