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

enum known_type json_known_type(const ProtobufCMessageDescriptor *descriptor)
{
        static const struct {
                const char *name;
                enum known_type type;
        } rows[] = {
                {"Any", KNOWN_ANY},
                {"BoolValue", KNOWN_WRAPPER},
                {"BytesValue", KNOWN_WRAPPER},
                {"DoubleValue", KNOWN_WRAPPER},
                {"Duration", KNOWN_DURATION},
                {"FieldMask", KNOWN_FIELD_MASK},
                {"FloatValue", KNOWN_WRAPPER},
                {"Int32Value", KNOWN_WRAPPER},
                {"Int64Value", KNOWN_WRAPPER},
                {"ListValue", KNOWN_LIST_VALUE},
                {"StringValue", KNOWN_WRAPPER},
                {"Struct", KNOWN_STRUCT},
                {"Timestamp", KNOWN_TIMESTAMP},
                {"UInt32Value", KNOWN_WRAPPER},
                {"UInt64Value", KNOWN_WRAPPER},
                {"Value", KNOWN_VALUE},
        };

        if (strncmp(descriptor->name, PREFIX, sizeof(PREFIX) - 1) != 0)
                return KNOWN_NONE;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++) {
                if (strcmp(descriptor->name + sizeof(PREFIX) - 1, rows[i].name) == 0)
                        return rows[i].type;
        }

        return KNOWN_NONE;
}

const ProtobufCFieldDescriptor *json_known_field(const ProtobufCMessageDescriptor *descriptor,
                                                 unsigned number,
                                                 ProtobufCType type)
{
        const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field(descriptor, number);

        return field && field->type == type ? field : NULL;
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
