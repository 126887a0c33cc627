#include <string.h>

#include "core/json/base64.h"
#include "core/json/field.h"
#include "core/json/known_text.h"
#include "core/json/known_type.h"
#include "core/json/reader.h"

typedef enum pipit_status (*read_known_fn)(struct json_reader *reader,
                                           ProtobufCMessage *message,
                                           const ProtobufCFieldDescriptor *const fields[],
                                           const struct pipit_json_value *value,
                                           const struct json_path *path);

/* --- Timestamp, Duration ------------------------------------------------------ */

typedef const char *(*parse_time_fn)(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);

static enum pipit_status read_time(struct json_reader *reader,
                                   ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *const fields[],
                                   const struct pipit_json_value *value,
                                   const struct json_path *path,
                                   parse_time_fn parse)
{
        if (value->type != PIPIT_JSON_STRING)
                return json_read_fail(reader,
                                      value,
                                      path,
                                      true,
                                      "is not a string (%s)",
                                      message->descriptor->name);

        const char *problem = parse(value->text,
                                    pipit_field_member(message, fields[0]),
                                    pipit_field_member(message, fields[1]));

        if (problem)
                return json_read_fail(reader, value, path, true, "%s", problem);

        pipit_field_mark_set(message, fields[0]);
        pipit_field_mark_set(message, fields[1]);
        return PIPIT_OK;
}

static enum pipit_status read_timestamp(struct json_reader *reader,
                                        ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *const fields[],
                                        const struct pipit_json_value *value,
                                        const struct json_path *path)
{
        return read_time(reader, message, fields, value, path, pipit_timestamp_parse);
}

static enum pipit_status read_duration(struct json_reader *reader,
                                       ProtobufCMessage *message,
                                       const ProtobufCFieldDescriptor *const fields[],
                                       const struct pipit_json_value *value,
                                       const struct json_path *path)
{
        return read_time(reader, message, fields, value, path, pipit_duration_parse);
}

/* --- FieldMask ----------------------------------------------------------------- */

static size_t count_paths(const char *text)
{
        size_t n = *text ? 1 : 0;

        for (; *text; text++)
                n += *text == ',' ? 1 : 0;

        return n;
}

static enum pipit_status read_paths(struct json_reader *reader,
                                    const struct pipit_json_value *value,
                                    const struct json_path *path,
                                    char **paths)
{
        const char *text = value->text;

        for (size_t i = 0, n = count_paths(text); i < n; i++) {
                size_t n_bytes = strcspn(text, ",");

                paths[i] = pipit_arena_alloc(reader->arena, 2 * n_bytes + 1);
                if (!paths[i])
                        return json_read_out_of_memory(reader);

                const char *problem = pipit_mask_path_parse(text, n_bytes, paths[i]);

                if (problem)
                        return json_read_fail(reader, value, path, true, "%s", problem);
                text += n_bytes + (text[n_bytes] == ',' ? 1 : 0);
        }

        return PIPIT_OK;
}

static enum pipit_status read_field_mask(struct json_reader *reader,
                                         ProtobufCMessage *message,
                                         const ProtobufCFieldDescriptor *const fields[],
                                         const struct pipit_json_value *value,
                                         const struct json_path *path)
{
        if (value->type != PIPIT_JSON_STRING)
                return json_read_fail(reader,
                                      value,
                                      path,
                                      true,
                                      "is not a string as \"name,homeAddress.city\" (%s)",
                                      message->descriptor->name);

        size_t n_paths = count_paths(value->text);
        char **paths = pipit_arena_zalloc(reader->arena, n_paths * sizeof(*paths));
        enum pipit_status status;

        if (!paths)
                return json_read_out_of_memory(reader);

        status = read_paths(reader, value, path, paths);
        *pipit_field_count(message, fields[0]) = n_paths;
        *(void **)pipit_field_member(message, fields[0]) = paths;
        return status;
}

/* --- Struct, ListValue, Value, wrappers ---------------------------------------- */

static enum pipit_status read_struct(struct json_reader *reader,
                                     ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *const fields[],
                                     const struct pipit_json_value *value,
                                     const struct json_path *path)
{
        return json_read_map(reader, message, fields[0], value, path);
}

static enum pipit_status read_list_value(struct json_reader *reader,
                                         ProtobufCMessage *message,
                                         const ProtobufCFieldDescriptor *const fields[],
                                         const struct pipit_json_value *value,
                                         const struct json_path *path)
{
        return json_read_repeated(reader, message, fields[0], value, path);
}

/* Each type of JSON has its own member of the oneof. */
static enum pipit_status read_value(struct json_reader *reader,
                                    ProtobufCMessage *message,
                                    const ProtobufCFieldDescriptor *const fields[],
                                    const struct pipit_json_value *value,
                                    const struct json_path *path)
{
        static const unsigned indexes[] = {
                [PIPIT_JSON_NULL] = 0,
                [PIPIT_JSON_NUMBER] = 1,
                [PIPIT_JSON_STRING] = 2,
                [PIPIT_JSON_BOOL] = 3,
                [PIPIT_JSON_OBJECT] = 4,
                [PIPIT_JSON_ARRAY] = 5,
        };

        return json_read_into(reader, message, fields[indexes[value->type]], value, path);
}

static enum pipit_status read_wrapper(struct json_reader *reader,
                                      ProtobufCMessage *message,
                                      const ProtobufCFieldDescriptor *const fields[],
                                      const struct pipit_json_value *value,
                                      const struct json_path *path)
{
        return json_read_into(reader, message, fields[0], value, path);
}

/* --- Any ------------------------------------------------------------------------- */

/* As json_write writes an Any of a type that nobody knows: {"@type": ..., "@value": base64}. */
static enum pipit_status read_any_raw(struct json_reader *reader,
                                      const struct pipit_json_value *raw,
                                      const struct json_path *path,
                                      ProtobufCBinaryData *ret_bytes)
{
        struct json_path here = {.parent = path, .name = "@value"};
        static const ProtobufCFieldDescriptor bytes_field = {
                .name = "@value",
                .type = PROTOBUF_C_TYPE_BYTES,
        };

        return json_read_scalar(reader, &bytes_field, raw, &here, ret_bytes);
}

/* A type with a form of its own stands in the member "value". */
static enum pipit_status read_any_content(struct json_reader *reader,
                                          ProtobufCMessage *content,
                                          const struct pipit_json_value *value,
                                          const struct json_path *path)
{
        bool has_form = json_known_type(content->descriptor) != KNOWN_NONE;
        const struct pipit_json_value *inner = pipit_json_member(value, "value");
        struct json_path here = {.parent = path, .name = "value"};
        bool is_empty = strcmp(content->descriptor->name, "google.protobuf.Empty") == 0;

        if (!has_form && !(is_empty && inner))
                return json_read_object(reader, content, value, path, "@type");
        if (!inner || value->n_children != 2)
                return json_read_fail(reader,
                                      value,
                                      path,
                                      false,
                                      "an Any of %s is {\"@type\": ..., \"value\": ...}",
                                      content->descriptor->name);

        return json_read_message(reader, content, inner, &here);
}

static enum pipit_status pack_any(struct json_reader *reader,
                                  const ProtobufCMessage *content,
                                  ProtobufCBinaryData *ret_bytes)
{
        size_t n_bytes = protobuf_c_message_get_packed_size(content);

        ret_bytes->data = pipit_arena_alloc(reader->arena, n_bytes);
        if (!ret_bytes->data)
                return json_read_out_of_memory(reader);

        ret_bytes->len = protobuf_c_message_pack(content, ret_bytes->data);
        return PIPIT_OK;
}

static enum pipit_status read_any_typed(struct json_reader *reader,
                                        const struct pipit_json_value *type,
                                        const struct pipit_json_value *value,
                                        const struct json_path *path,
                                        ProtobufCBinaryData *ret_bytes)
{
        const ProtobufCMessageDescriptor *descriptor = json_known_any(reader->schema, type->text);
        const struct pipit_json_value *raw = pipit_json_member(value, "@value");
        struct json_path here = {.parent = path, .name = "@type"};
        enum pipit_status status;

        if (raw && value->n_children == 2)
                return read_any_raw(reader, raw, path, ret_bytes);
        if (!strchr(type->text, '/'))
                return json_read_fail(reader,
                                      type,
                                      &here,
                                      true,
                                      "is not a type URL; write type.googleapis.com/%s",
                                      type->text);
        if (!descriptor)
                return json_read_fail(
                        reader, type, &here, true, "is of a type that is not in the schema");

        ProtobufCMessage *content = pipit_schema_message_new(descriptor, reader->arena);

        if (!content)
                return json_read_out_of_memory(reader);

        status = read_any_content(reader, content, value, path);
        return status == PIPIT_OK ? pack_any(reader, content, ret_bytes) : status;
}

static enum pipit_status read_any(struct json_reader *reader,
                                  ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *const fields[],
                                  const struct pipit_json_value *value,
                                  const struct json_path *path)
{
        enum pipit_status status;

        if (value->type != PIPIT_JSON_OBJECT)
                return json_read_fail(
                        reader, value, path, true, "is not an object (google.protobuf.Any)");
        if (value->n_children == 0)
                return PIPIT_OK;

        const struct pipit_json_value *type = pipit_json_member(value, "@type");

        if (!type || type->type != PIPIT_JSON_STRING)
                return json_read_fail(reader,
                                      value,
                                      path,
                                      false,
                                      "an Any needs \"@type\", as \"type.googleapis.com/NAME\"");

        status = read_any_typed(reader, type, value, path, pipit_field_member(message, fields[1]));
        if (status != PIPIT_OK)
                return status;

        *(const char **)pipit_field_member(message, fields[0]) = type->text;
        pipit_field_mark_set(message, fields[1]);
        return PIPIT_OK;
}

enum pipit_status json_read_known(struct json_reader *reader,
                                  ProtobufCMessage *message,
                                  const struct pipit_json_value *value,
                                  const struct json_path *path)
{
        static const read_known_fn readers[] = {
                [KNOWN_ANY] = read_any,
                [KNOWN_DURATION] = read_duration,
                [KNOWN_FIELD_MASK] = read_field_mask,
                [KNOWN_LIST_VALUE] = read_list_value,
                [KNOWN_STRUCT] = read_struct,
                [KNOWN_TIMESTAMP] = read_timestamp,
                [KNOWN_VALUE] = read_value,
                [KNOWN_WRAPPER] = read_wrapper,
        };
        const ProtobufCFieldDescriptor *fields[JSON_KNOWN_FIELDS_MAX];

        if (!json_known_fields(reader->schema, message->descriptor, fields))
                return json_read_fail(reader,
                                      value,
                                      path,
                                      false,
                                      "the schema's %s is not the well-known one",
                                      message->descriptor->name);

        return readers[json_known_type(message->descriptor)](reader, message, fields, value, path);
}
