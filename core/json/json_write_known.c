#include <math.h>
#include <string.h>

#include "core/json/base64.h"
#include "core/json/field.h"
#include "core/json/known_text.h"
#include "core/json/known_type.h"
#include "core/json/output.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"

static enum pipit_status fail_unusual(struct json_output *output, const ProtobufCMessage *message)
{
        return json_write_fail(output, message, "in the schema is not the well-known one");
}

/* --- Timestamp, Duration ------------------------------------------------------ */

typedef bool (*format_time_fn)(int64_t seconds, int32_t nanos, char *ret_text);

static enum pipit_status write_time(struct json_output *output,
                                    const ProtobufCMessage *message,
                                    format_time_fn format)
{
        const ProtobufCFieldDescriptor *seconds =
                json_known_field(message->descriptor, 1, PROTOBUF_C_TYPE_INT64);
        const ProtobufCFieldDescriptor *nanos =
                json_known_field(message->descriptor, 2, PROTOBUF_C_TYPE_INT32);
        char text[PIPIT_KNOWN_TEXT_SIZE];

        if (!seconds || !nanos || seconds->label == PROTOBUF_C_LABEL_REPEATED ||
            nanos->label == PROTOBUF_C_LABEL_REPEATED)
                return fail_unusual(output, message);
        if (!format(*(const int64_t *)pipit_field_const_member(message, seconds),
                    *(const int32_t *)pipit_field_const_member(message, nanos),
                    text))
                return json_write_fail(output, message, "is out of range");

        pipit_json_writer_string(&output->writer, text, strlen(text));
        return PIPIT_OK;
}

static enum pipit_status write_timestamp(struct json_output *output,
                                         const ProtobufCMessage *message)
{
        return write_time(output, message, pipit_timestamp_format);
}

static enum pipit_status write_duration(struct json_output *output, const ProtobufCMessage *message)
{
        return write_time(output, message, pipit_duration_format);
}

/* --- FieldMask ----------------------------------------------------------------- */

static enum pipit_status write_field_mask(struct json_output *output,
                                          const ProtobufCMessage *message)
{
        const ProtobufCFieldDescriptor *field =
                json_known_field(message->descriptor, 1, PROTOBUF_C_TYPE_STRING);
        size_t n_text = 1, n_paths;
        char *const *paths;

        if (!field || field->label != PROTOBUF_C_LABEL_REPEATED)
                return fail_unusual(output, message);

        paths = *(char *const *const *)pipit_field_const_member(message, field);
        n_paths = pipit_field_const_count(message, field);
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

static enum pipit_status write_struct(struct json_output *output, const ProtobufCMessage *message)
{
        const ProtobufCFieldDescriptor *field =
                json_known_field(message->descriptor, 1, PROTOBUF_C_TYPE_MESSAGE);

        if (!field || !pipit_schema_is_map(output->schema, message->descriptor, field))
                return fail_unusual(output, message);

        return json_write_map(output, message, field);
}

static enum pipit_status write_list_value(struct json_output *output,
                                          const ProtobufCMessage *message)
{
        const ProtobufCFieldDescriptor *field =
                json_known_field(message->descriptor, 1, PROTOBUF_C_TYPE_MESSAGE);

        if (!field || field->label != PROTOBUF_C_LABEL_REPEATED)
                return fail_unusual(output, message);

        return json_write_repeated(output, message, field);
}

static enum pipit_status write_value(struct json_output *output, const ProtobufCMessage *message)
{
        const ProtobufCFieldDescriptor *field =
                message->descriptor->n_fields > 0 ? &message->descriptor->fields[0] : NULL;

        field = field ? pipit_field_set_in_oneof(message, field) : NULL;
        if (!field)
                return json_write_fail(output, message, "has no value, which JSON cannot say");

        const void *slot = pipit_field_const_member(message, field);

        if (field->type == PROTOBUF_C_TYPE_DOUBLE && !isfinite(*(const double *)slot))
                return json_write_fail(output, message, "is a number that JSON does not have");

        return json_write_single(output, field, slot);
}

static enum pipit_status write_wrapper(struct json_output *output, const ProtobufCMessage *message)
{
        const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field(message->descriptor, 1);

        if (!field || field->label == PROTOBUF_C_LABEL_REPEATED ||
            field->type == PROTOBUF_C_TYPE_MESSAGE)
                return fail_unusual(output, message);

        return json_write_single(output, field, pipit_field_const_member(message, field));
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
        if (!json_write_known(descriptor))
                return json_write_members(output, content);

        pipit_json_writer_key(&output->writer, "value");
        return json_write_message(output, content);
}

static enum pipit_status write_any(struct json_output *output, const ProtobufCMessage *message)
{
        const ProtobufCFieldDescriptor *url =
                json_known_field(message->descriptor, 1, PROTOBUF_C_TYPE_STRING);
        const ProtobufCFieldDescriptor *value =
                json_known_field(message->descriptor, 2, PROTOBUF_C_TYPE_BYTES);
        enum pipit_status status = PIPIT_OK;

        if (!url || !value || url->label == PROTOBUF_C_LABEL_REPEATED ||
            value->label == PROTOBUF_C_LABEL_REPEATED)
                return fail_unusual(output, message);

        const char *type_url = *(const char *const *)pipit_field_const_member(message, url);
        const ProtobufCBinaryData *bytes = pipit_field_const_member(message, value);

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

json_write_known_fn json_write_known(const ProtobufCMessageDescriptor *descriptor)
{
        static const json_write_known_fn writers[] = {
                [KNOWN_NONE] = NULL,
                [KNOWN_ANY] = write_any,
                [KNOWN_DURATION] = write_duration,
                [KNOWN_FIELD_MASK] = write_field_mask,
                [KNOWN_LIST_VALUE] = write_list_value,
                [KNOWN_STRUCT] = write_struct,
                [KNOWN_TIMESTAMP] = write_timestamp,
                [KNOWN_VALUE] = write_value,
                [KNOWN_WRAPPER] = write_wrapper,
        };

        return writers[json_known_type(descriptor)];
}
