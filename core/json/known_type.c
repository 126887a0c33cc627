#include "core/json/known_type.h"

#include <string.h>

#include "core/base/macros.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/empty.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define PREFIX "google.protobuf."

enum shape {
        SHAPE_SINGLE,
        SHAPE_ONEOF,
        SHAPE_REPEATED,
        SHAPE_MAP,
};

static const struct known_row {
        const char *name;
        enum known_type type;
        unsigned n_fields;
        struct {
                ProtobufCType type;
                enum shape shape;
        } fields[JSON_KNOWN_FIELDS_MAX]; /* from number 1 on */
} rows[] = {
#define FIELD(type, shape)                                                                         \
        {                                                                                          \
                PROTOBUF_C_TYPE_##type, SHAPE_##shape                                              \
        }
        {"Any", KNOWN_ANY, 2, {FIELD(STRING, SINGLE), FIELD(BYTES, SINGLE)}},
        {"BoolValue", KNOWN_WRAPPER, 1, {FIELD(BOOL, SINGLE)}},
        {"BytesValue", KNOWN_WRAPPER, 1, {FIELD(BYTES, SINGLE)}},
        {"DoubleValue", KNOWN_WRAPPER, 1, {FIELD(DOUBLE, SINGLE)}},
        {"Duration", KNOWN_DURATION, 2, {FIELD(INT64, SINGLE), FIELD(INT32, SINGLE)}},
        {"FieldMask", KNOWN_FIELD_MASK, 1, {FIELD(STRING, REPEATED)}},
        {"FloatValue", KNOWN_WRAPPER, 1, {FIELD(FLOAT, SINGLE)}},
        {"Int32Value", KNOWN_WRAPPER, 1, {FIELD(INT32, SINGLE)}},
        {"Int64Value", KNOWN_WRAPPER, 1, {FIELD(INT64, SINGLE)}},
        {"ListValue", KNOWN_LIST_VALUE, 1, {FIELD(MESSAGE, REPEATED)}},
        {"StringValue", KNOWN_WRAPPER, 1, {FIELD(STRING, SINGLE)}},
        {"Struct", KNOWN_STRUCT, 1, {FIELD(MESSAGE, MAP)}},
        {"Timestamp", KNOWN_TIMESTAMP, 2, {FIELD(INT64, SINGLE), FIELD(INT32, SINGLE)}},
        {"UInt32Value", KNOWN_WRAPPER, 1, {FIELD(UINT32, SINGLE)}},
        {"UInt64Value", KNOWN_WRAPPER, 1, {FIELD(UINT64, SINGLE)}},
        {"Value",
         KNOWN_VALUE,
         6,
         {FIELD(ENUM, ONEOF),
          FIELD(DOUBLE, ONEOF),
          FIELD(STRING, ONEOF),
          FIELD(BOOL, ONEOF),
          FIELD(MESSAGE, ONEOF),
          FIELD(MESSAGE, ONEOF)}},
#undef FIELD
};

static const struct known_row *find_row(const ProtobufCMessageDescriptor *descriptor)
{
        if (strncmp(descriptor->name, PREFIX, sizeof(PREFIX) - 1) != 0)
                return NULL;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++) {
                if (strcmp(descriptor->name + sizeof(PREFIX) - 1, rows[i].name) == 0)
                        return &rows[i];
        }

        return NULL;
}

enum known_type json_known_type(const ProtobufCMessageDescriptor *descriptor)
{
        const struct known_row *row = find_row(descriptor);

        return row ? row->type : KNOWN_NONE;
}

static bool has_shape(const struct pipit_schema *schema,
                      const ProtobufCMessageDescriptor *descriptor,
                      const ProtobufCFieldDescriptor *field,
                      enum shape shape)
{
        switch (shape) {
        case SHAPE_SINGLE:
                return field->label != PROTOBUF_C_LABEL_REPEATED &&
                       !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
        case SHAPE_ONEOF:
                return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
        case SHAPE_REPEATED:
                return field->label == PROTOBUF_C_LABEL_REPEATED;
        case SHAPE_MAP:
                return pipit_schema_is_map(schema, descriptor, field);
        }

        return false;
}

bool json_known_fields(const struct pipit_schema *schema,
                       const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *ret_fields[JSON_KNOWN_FIELDS_MAX])
{
        const struct known_row *row = find_row(descriptor);

        for (unsigned i = 0; row && i < row->n_fields; i++) {
                const ProtobufCFieldDescriptor *field =
                        protobuf_c_message_descriptor_get_field(descriptor, i + 1);

                if (!field || field->type != row->fields[i].type ||
                    !has_shape(schema, descriptor, field, row->fields[i].shape))
                        return false;
                ret_fields[i] = field;
        }

        return row != NULL;
}

const ProtobufCMessageDescriptor *json_known_any(const struct pipit_schema *schema,
                                                 const char *type_url)
{
        static const ProtobufCMessageDescriptor *const built_in[] = {
                &google__protobuf__any__descriptor,
                &google__protobuf__bool_value__descriptor,
                &google__protobuf__bytes_value__descriptor,
                &google__protobuf__double_value__descriptor,
                &google__protobuf__duration__descriptor,
                &google__protobuf__empty__descriptor,
                &google__protobuf__field_mask__descriptor,
                &google__protobuf__float_value__descriptor,
                &google__protobuf__int32_value__descriptor,
                &google__protobuf__int64_value__descriptor,
                &google__protobuf__list_value__descriptor,
                &google__protobuf__string_value__descriptor,
                &google__protobuf__struct__descriptor,
                &google__protobuf__timestamp__descriptor,
                &google__protobuf__uint32_value__descriptor,
                &google__protobuf__uint64_value__descriptor,
                &google__protobuf__value__descriptor,
                &google__rpc__bad_request__descriptor,
                &google__rpc__error_info__descriptor,
                &google__rpc__retry_info__descriptor,
                &google__rpc__status__descriptor,
        };
        const char *slash = strrchr(type_url, '/');
        const ProtobufCMessageDescriptor *descriptor = NULL;

        if (!slash)
                return NULL;
        if (schema)
                descriptor = pipit_schema_message(schema, slash + 1);

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(built_in) && !descriptor; i++) {
                if (strcmp(built_in[i]->name, slash + 1) == 0)
                        descriptor = built_in[i];
        }

        return descriptor;
}
