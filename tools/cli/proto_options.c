#include <inttypes.h>
#include <string.h>

#include "core/json/field.h"
#include "tools/cli/proto_output.h"
#include "tools/cli/terminal.h"

/* What protoc computes, and what it does not understand itself. */
static bool is_shown(const ProtobufCFieldDescriptor *field)
{
        return field->label != PROTOBUF_C_LABEL_REPEATED &&
               field->type != PROTOBUF_C_TYPE_MESSAGE && strcmp(field->name, "map_entry") != 0;
}

/* The next option from *index on that is set, or NULL. */
static const ProtobufCFieldDescriptor *next_option(const ProtobufCMessage *options, unsigned *index)
{
        while (options && *index < options->descriptor->n_fields) {
                const ProtobufCFieldDescriptor *field = &options->descriptor->fields[(*index)++];

                if (is_shown(field) && pipit_field_is_set(options, field))
                        return field;
        }

        return NULL;
}

static void write_value(struct proto_output *output,
                        const ProtobufCMessage *options,
                        const ProtobufCFieldDescriptor *field)
{
        const void *member = pipit_field_const_member(options, field);
        const ProtobufCEnumValue *value;

        switch (field->type) {
        case PROTOBUF_C_TYPE_BOOL:
                (void)fputs(*(const protobuf_c_boolean *)member ? "true" : "false", output->file);
                break;
        case PROTOBUF_C_TYPE_ENUM:
                value = protobuf_c_enum_descriptor_get_value(field->descriptor,
                                                             *(const int *)member);
                (void)fputs(value ? value->name : "UNKNOWN", output->file);
                break;
        case PROTOBUF_C_TYPE_STRING:
                proto_string(output, *(char *const *)member, false);
                break;
        default:
                (void)fprintf(output->file, "%" PRId32, *(const int32_t *)member);
                break;
        }
}

bool proto_has_options(const ProtobufCMessage *options)
{
        unsigned index = 0;

        return next_option(options, &index);
}

void proto_option_lines(struct proto_output *output, const ProtobufCMessage *options)
{
        const ProtobufCFieldDescriptor *field;

        for (unsigned i = 0; (field = next_option(options, &i));) {
                proto_indent(output);
                proto_keyword(output, "option");
                (void)fprintf(output->file, " %s = ", field->name);
                write_value(output, options, field);
                (void)fputs(";\n", output->file);
        }
}

/* --- of fields ----------------------------------------------------------------- */

static void separate(struct proto_output *output, bool *is_first)
{
        (void)fputs(*is_first ? " [" : ", ", output->file);
        *is_first = false;
}

static void write_default(struct proto_output *output,
                          const Google__Protobuf__FieldDescriptorProto *field)
{
        (void)fputs("default = ", output->file);
        if (field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING)
                proto_string(output, field->default_value, false);
        else if (field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES)
                proto_string(output, field->default_value, true);
        else
                cli_print_safe(output->file, field->default_value);
}

/* protoc gives each field its json_name; only one that is not derived was written. */
static bool has_json_name(const Google__Protobuf__FieldDescriptorProto *field)
{
        char derived[512];

        if (!field->json_name || !field->name || strlen(field->name) >= sizeof(derived))
                return false;

        pipit_field_camel_case(field->name, derived);
        return strcmp(derived, field->json_name) != 0;
}

void proto_option_list(struct proto_output *output,
                       const Google__Protobuf__FieldDescriptorProto *field,
                       const ProtobufCMessage *options)
{
        const ProtobufCFieldDescriptor *option;
        bool is_first = true;

        if (field && field->default_value) {
                separate(output, &is_first);
                write_default(output, field);
        }
        if (field && has_json_name(field)) {
                separate(output, &is_first);
                (void)fputs("json_name = ", output->file);
                proto_string(output, field->json_name, false);
        }

        for (unsigned i = 0; (option = next_option(options, &i));) {
                separate(output, &is_first);
                (void)fprintf(output->file, "%s = ", option->name);
                write_value(output, options, option);
        }

        if (!is_first)
                (void)fputc(']', output->file);
}
