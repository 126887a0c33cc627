#include <math.h>
#include <string.h>

#include "core/json/base64.h"
#include "core/json/field.h"
#include "core/json/known_text.h"
#include "core/json/known_type.h"
#include "core/json/output.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"

typedef enum pipit_status (*write_known_fn)(struct json_output *output,
                                            const ProtobufCMessage *message,
                                            const ProtobufCFieldDescriptor *const fields[]);

/* --- Timestamp, Duration ------------------------------------------------------ */

typedef bool (*format_time_fn)(int64_t seconds, int32_t nanos, char *ret_text);

static enum pipit_status write_time(struct json_output *output,
                                    const ProtobufCMessage *message,
                                    const ProtobufCFieldDescriptor *const fields[],
                                    format_time_fn format)
{
        char text[PIPIT_KNOWN_TEXT_SIZE];

        if (!format(*(const int64_t *)pipit_field_const_member(message, fields[0]),
                    *(const int32_t *)pipit_field_const_member(message, fields[1]),
                    text))
                return json_write_fail(output, message, "is out of range");

        pipit_json_writer_string(&output->writer, text, strlen(text));
        return PIPIT_OK;
}

static enum pipit_status write_timestamp(struct json_output *output,
                                         const ProtobufCMessage *message,
                                         const ProtobufCFieldDescriptor *const fields[])
{
        return write_time(output, message, fields, pipit_timestamp_format);
}

static enum pipit_status write_duration(struct json_output *output,
                                        const ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *const fields[])
{
        return write_time(output, message, fields, pipit_duration_format);
}

/* --- FieldMask ----------------------------------------------------------------- */

static enum pipit_status write_field_mask(struct json_output *output,
                                          const ProtobufCMessage *message,
                                          const ProtobufCFieldDescriptor *const fields[])
{
        char *const *paths = *(char *const *const *)pipit_field_const_member(message, fields[0]);
        size_t n_text = 1, n_paths = pipit_field_const_count(message, fields[0]);

        for (size_t i = 0; i < n_paths; i++)
                n_text += strlen(paths[i]) + 1;

        char *text = pipit_arena_alloc(output->writer.arena, n_text);
        size_t n = 0;

        if (!text)
                return json_write_out_of_memory(output);

        for (size_t i = 0; i < n_paths; i++) {
                if (i > 0)
                        text[n++] = ',';
                if (!pipit_mask_path_format(paths[i], text + n))
                        return json_write_fail(
                                output, message, "has a path that lowerCamelCase cannot hold");
                n += strlen(text + n);
        }

        pipit_json_writer_string(&output->writer, text, n);
        return PIPIT_OK;
}

/* --- Struct, ListValue, Value, wrappers ---------------------------------------- */

static enum pipit_status write_struct(struct json_output *output,
                                      const ProtobufCMessage *message,
                                      const ProtobufCFieldDescriptor *const fields[])
{
        return json_write_map(output, message, fields[0]);
}

static enum pipit_status write_list_value(struct json_output *output,
                                          const ProtobufCMessage *message,
                                          const ProtobufCFieldDescriptor *const fields[])
{
        return json_write_repeated(output, message, fields[0]);
}

static enum pipit_status write_value(struct json_output *output,
                                     const ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *const fields[])
{
        const ProtobufCFieldDescriptor *field = pipit_field_set_in_oneof(message, fields[0]);

        if (!field)
                return json_write_fail(output, message, "has no value, which JSON cannot say");

        const void *slot = pipit_field_const_member(message, field);

        if (field->type == PROTOBUF_C_TYPE_DOUBLE && !isfinite(*(const double *)slot))
                return json_write_fail(output, message, "is a number that JSON does not have");

        return json_write_single(output, field, slot);
}

static enum pipit_status write_wrapper(struct json_output *output,
                                       const ProtobufCMessage *message,
                                       const ProtobufCFieldDescriptor *const fields[])
{
        return json_write_single(output, fields[0], pipit_field_const_member(message, fields[0]));
}

/* --- Any ------------------------------------------------------------------------- */

/* A type that nobody knows is no reason to hide the rest of the answer. */
static enum pipit_status write_any_raw(struct json_output *output, const ProtobufCBinaryData *bytes)
{
        pipit_json_writer_key(&output->writer, "@value");

        char *space = pipit_json_writer_string_space(&output->writer,
                                                     PIPIT_BASE64_TEXT_BYTES(bytes->len));

        if (space)
                pipit_base64_encode(bytes->data, bytes->len, space);
        return PIPIT_OK;
}

/* NULL: malformed. What is in an Any was not checked with the message around it. */
static ProtobufCMessage *unpack_any(struct json_output *output,
                                    const ProtobufCMessageDescriptor *descriptor,
                                    const ProtobufCBinaryData *bytes)
{
        struct pipit_wire_report report;

        if (!pipit_wire_check(
                    descriptor, bytes->data, bytes->len, &pipit_wire_limits_default, &report))
                return NULL;

        return pipit_message_unpack(descriptor, output->writer.arena, bytes->data, bytes->len);
}

static enum pipit_status write_any_content(struct json_output *output,
                                           const char *type_url,
                                           const ProtobufCBinaryData *bytes)
{
        const ProtobufCMessageDescriptor *descriptor = json_known_any(output->schema, type_url);
        ProtobufCMessage *content = descriptor ? unpack_any(output, descriptor, bytes) : NULL;

        if (!content)
                return write_any_raw(output, bytes);
        if (json_known_type(descriptor) == KNOWN_NONE)
                return json_write_members(output, content);

        pipit_json_writer_key(&output->writer, "value");
        return json_write_message(output, content);
}

static enum pipit_status write_any(struct json_output *output,
                                   const ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *const fields[])
{
        const char *type_url = *(const char *const *)pipit_field_const_member(message, fields[0]);
        const ProtobufCBinaryData *bytes = pipit_field_const_member(message, fields[1]);
        enum pipit_status status = PIPIT_OK;

        pipit_json_writer_begin(&output->writer, '{');
        if ((type_url && type_url[0]) || bytes->len > 0) {
                type_url = type_url ? type_url : "";
                pipit_json_writer_key(&output->writer, "@type");
                pipit_json_writer_string(&output->writer, type_url, strlen(type_url));
                status = write_any_content(output, type_url, bytes);
        }
        pipit_json_writer_end(&output->writer, '}');
        return status;
}

enum pipit_status json_write_known(struct json_output *output, const ProtobufCMessage *message)
{
        static const write_known_fn writers[] = {
                [KNOWN_ANY] = write_any,
                [KNOWN_DURATION] = write_duration,
                [KNOWN_FIELD_MASK] = write_field_mask,
                [KNOWN_LIST_VALUE] = write_list_value,
                [KNOWN_STRUCT] = write_struct,
                [KNOWN_TIMESTAMP] = write_timestamp,
                [KNOWN_VALUE] = write_value,
                [KNOWN_WRAPPER] = write_wrapper,
        };
        const ProtobufCFieldDescriptor *fields[JSON_KNOWN_FIELDS_MAX];

        if (!json_known_fields(output->schema, message->descriptor, fields))
                return json_write_fail(output, message, "in the schema is not the well-known one");

        return writers[json_known_type(message->descriptor)](output, message, fields);
}
