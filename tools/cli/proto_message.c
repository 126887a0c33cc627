#include <inttypes.h>
#include <string.h>

#include "core/base/macros.h"
#include "tools/cli/proto_output.h"

/* Field numbers of descriptor.proto. */
enum {
        MESSAGE_FIELD = 2,
        MESSAGE_NESTED = 3,
        MESSAGE_ENUM = 4,
        MESSAGE_EXTENSION = 6,
        MESSAGE_ONEOF = 8,
        ENUM_VALUE = 2,
};

#define FIELD_NUMBER_MAX 536870911

/* --- fields ---------------------------------------------------------------------- */

static const char *scalar_name(Google__Protobuf__FieldDescriptorProto__Type type)
{
        static const char *const names[] = {
                NULL,      "double",   "float",    "int64",  "uint64", "int32", "fixed64",
                "fixed32", "bool",     "string",   "group",  NULL,     "bytes", "uint32",
                NULL,      "sfixed32", "sfixed64", "sint32", "sint64",
        };

        return (size_t)type < PIPIT_N_ELEMENTS(names) ? names[type] : NULL;
}

static void write_type(struct proto_output *output,
                       const Google__Protobuf__FieldDescriptorProto *field)
{
        const char *scalar = scalar_name(field->type);

        if (scalar)
                (void)fputs(scalar, output->file);
        else
                (void)fputs(cli_symbols_relative(output->symbols,
                                                 output->scope,
                                                 field->type_name ? field->type_name : ""),
                            output->file);
}

/* The entry of @field if it is a map. */
static const Google__Protobuf__DescriptorProto *map_entry(
        const Google__Protobuf__DescriptorProto *message,
        const Google__Protobuf__FieldDescriptorProto *field)
{
        const char *name = field->type_name ? strrchr(field->type_name, '.') : NULL;

        if (!name ||
            field->label != GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED)
                return NULL;

        for (size_t i = 0; i < message->n_nested_type; i++) {
                const Google__Protobuf__DescriptorProto *nested = message->nested_type[i];

                if (nested->options && nested->options->map_entry && nested->n_field == 2 &&
                    strcmp(nested->name, name + 1) == 0)
                        return nested;
        }

        return NULL;
}

static bool is_proto3(const struct proto_output *output)
{
        return output->proto->syntax && strcmp(output->proto->syntax, "proto3") == 0;
}

static void write_label(struct proto_output *output,
                        const Google__Protobuf__FieldDescriptorProto *field)
{
        bool in_oneof = field->has_oneof_index && !field->proto3_optional;

        if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED)
                proto_keyword(output, "repeated");
        else if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED)
                proto_keyword(output, "required");
        else if (!in_oneof && (field->proto3_optional || !is_proto3(output)))
                proto_keyword(output, "optional");
        else
                return;

        (void)fputc(' ', output->file);
}

/* @message is what it stands in; NULL: an extension. */
static void write_field(struct proto_output *output,
                        const Google__Protobuf__DescriptorProto *message,
                        const Google__Protobuf__FieldDescriptorProto *field)
{
        const Google__Protobuf__DescriptorProto *entry = message ? map_entry(message, field) : NULL;

        proto_leading_comments(output);
        proto_indent(output);
        if (entry) {
                (void)fputs("map<", output->file);
                write_type(output, entry->field[0]);
                (void)fputs(", ", output->file);
                write_type(output, entry->field[1]);
                (void)fputc('>', output->file);
        } else {
                write_label(output, field);
                write_type(output, field);
        }

        (void)fprintf(output->file, " %s = %" PRId32, field->name, field->number);
        proto_option_list(output, field, field->options ? &field->options->base : NULL);
        (void)fputs(";\n", output->file);
        proto_trailing_comments(output);
}

bool proto_is_wanted(const struct proto_output *output, const char *name)
{
        const char *last = output->only ? strrchr(output->only->name, '.') : NULL;

        return !last || strcmp(last + 1, name) == 0;
}

/* From field @first on, all that are in its oneof. */
static void write_oneof(struct proto_output *output,
                        const Google__Protobuf__DescriptorProto *message,
                        size_t first)
{
        int32_t index = message->field[first]->oneof_index;
        const Google__Protobuf__OneofDescriptorProto *oneof = message->oneof_decl[index];

        proto_push(output, MESSAGE_ONEOF, (size_t)index);
        proto_leading_comments(output);
        proto_open_block(output, "oneof", oneof->name);
        proto_trailing_comments(output);
        proto_pop(output);

        for (size_t i = first; i < message->n_field; i++) {
                const Google__Protobuf__FieldDescriptorProto *field = message->field[i];

                if (!field->has_oneof_index || field->oneof_index != index ||
                    !proto_is_wanted(output, field->name))
                        continue;
                proto_push(output, MESSAGE_FIELD, i);
                write_field(output, message, field);
                proto_pop(output);
        }

        proto_close_block(output);
}

static bool is_in_oneof(const Google__Protobuf__DescriptorProto *message, size_t index)
{
        const Google__Protobuf__FieldDescriptorProto *field = message->field[index];

        return field->has_oneof_index && !field->proto3_optional && field->oneof_index >= 0 &&
               (size_t)field->oneof_index < message->n_oneof_decl;
}

static bool is_first_of_oneof(const struct proto_output *output,
                              const Google__Protobuf__DescriptorProto *message,
                              size_t index)
{
        for (size_t i = 0; i < index; i++) {
                if (is_in_oneof(message, i) && proto_is_wanted(output, message->field[i]->name) &&
                    message->field[i]->oneof_index == message->field[index]->oneof_index)
                        return false;
        }

        return true;
}

static void write_fields(struct proto_output *output,
                         const Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_field; i++) {
                if (!proto_is_wanted(output, message->field[i]->name))
                        continue;
                if (!is_in_oneof(message, i)) {
                        proto_push(output, MESSAGE_FIELD, i);
                        write_field(output, message, message->field[i]);
                        proto_pop(output);
                } else if (is_first_of_oneof(output, message, i)) {
                        write_oneof(output, message, i);
                }
        }
}

/* --- what is kept free --------------------------------------------------------- */

static void write_range(
        struct proto_output *output, bool is_first, int32_t start, int32_t last, int32_t max)
{
        if (!is_first)
                (void)fputs(", ", output->file);
        (void)fprintf(output->file, "%" PRId32, start);
        if (last == max)
                (void)fputs(" to max", output->file);
        else if (last != start)
                (void)fprintf(output->file, " to %" PRId32, last);
}

static void write_reserved_names(struct proto_output *output, char *const *names, size_t n_names)
{
        if (n_names == 0)
                return;

        proto_indent(output);
        proto_keyword(output, "reserved");
        for (size_t i = 0; i < n_names; i++) {
                (void)fputs(i > 0 ? ", " : " ", output->file);
                proto_string(output, names[i], false);
        }
        (void)fputs(";\n", output->file);
}

static void write_message_ranges(struct proto_output *output,
                                 const Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_extension_range; i++) {
                proto_indent(output);
                proto_keyword(output, "extensions");
                (void)fputc(' ', output->file);
                write_range(output,
                            true,
                            message->extension_range[i]->start,
                            message->extension_range[i]->end - 1,
                            FIELD_NUMBER_MAX);
                (void)fputs(";\n", output->file);
        }

        if (message->n_reserved_range > 0) {
                proto_indent(output);
                proto_keyword(output, "reserved");
                (void)fputc(' ', output->file);
                for (size_t i = 0; i < message->n_reserved_range; i++)
                        write_range(output,
                                    i == 0,
                                    message->reserved_range[i]->start,
                                    message->reserved_range[i]->end - 1,
                                    FIELD_NUMBER_MAX);
                (void)fputs(";\n", output->file);
        }

        write_reserved_names(output, message->reserved_name, message->n_reserved_name);
}

static void write_enum_ranges(struct proto_output *output,
                              const Google__Protobuf__EnumDescriptorProto *proto)
{
        if (proto->n_reserved_range > 0) {
                proto_indent(output);
                proto_keyword(output, "reserved");
                (void)fputc(' ', output->file);
                for (size_t i = 0; i < proto->n_reserved_range; i++)
                        write_range(output,
                                    i == 0,
                                    proto->reserved_range[i]->start,
                                    proto->reserved_range[i]->end,
                                    INT32_MAX);
                (void)fputs(";\n", output->file);
        }

        write_reserved_names(output, proto->reserved_name, proto->n_reserved_name);
}

/* --- messages and enums ---------------------------------------------------------- */

static const char *extendee_of(const Google__Protobuf__FieldDescriptorProto *field)
{
        return field->extendee ? field->extendee : "";
}

/* One `extend` for those behind each other that extend the same. */
void proto_extensions(struct proto_output *output,
                      Google__Protobuf__FieldDescriptorProto *const *fields,
                      size_t n_fields,
                      int32_t number)
{
        for (size_t i = 0; i < n_fields; i++) {
                const char *extendee = extendee_of(fields[i]);

                if (i == 0 || strcmp(extendee, extendee_of(fields[i - 1])) != 0) {
                        (void)fputc('\n', output->file);
                        proto_open_block(
                                output,
                                "extend",
                                cli_symbols_relative(output->symbols, output->scope, extendee));
                }

                proto_push(output, number, i);
                write_field(output, NULL, fields[i]);
                proto_pop(output);
                if (i + 1 == n_fields || strcmp(extendee, extendee_of(fields[i + 1])) != 0)
                        proto_close_block(output);
        }
}

void proto_enum(struct proto_output *output, const Google__Protobuf__EnumDescriptorProto *proto)
{
        proto_leading_comments(output);
        proto_open_block(output, "enum", proto->name);
        proto_trailing_comments(output);
        if (proto->options)
                proto_option_lines(output, &proto->options->base);

        for (size_t i = 0; i < proto->n_value; i++) {
                const Google__Protobuf__EnumValueDescriptorProto *value = proto->value[i];

                proto_push(output, ENUM_VALUE, i);
                proto_leading_comments(output);
                proto_indent(output);
                (void)fprintf(output->file, "%s = %" PRId32, value->name, value->number);
                proto_option_list(output, NULL, value->options ? &value->options->base : NULL);
                (void)fputs(";\n", output->file);
                proto_trailing_comments(output);
                proto_pop(output);
        }

        write_enum_ranges(output, proto);
        proto_close_block(output);
}

/* Maps are written where they are used. */
static void write_nested(struct proto_output *output,
                         const Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_nested_type; i++) {
                const Google__Protobuf__DescriptorProto *nested = message->nested_type[i];

                if (nested->options && nested->options->map_entry)
                        continue;
                (void)fputc('\n', output->file);
                proto_push(output, MESSAGE_NESTED, i);
                proto_message(output, nested);
                proto_pop(output);
        }

        for (size_t i = 0; i < message->n_enum_type; i++) {
                (void)fputc('\n', output->file);
                proto_push(output, MESSAGE_ENUM, i);
                proto_enum(output, message->enum_type[i]);
                proto_pop(output);
        }
}

void proto_message(struct proto_output *output, const Google__Protobuf__DescriptorProto *message)
{
        const char *outer = output->scope;
        const char *scope = pipit_arena_printf(
                output->symbols->arena, "%s%s%s", outer, outer[0] ? "." : "", message->name);

        output->scope = scope ? scope : outer;
        proto_leading_comments(output);
        proto_open_block(output, "message", message->name);
        if (!output->only) {
                proto_trailing_comments(output);
                if (message->options)
                        proto_option_lines(output, &message->options->base);
        }

        write_fields(output, message);
        if (!output->only) {
                write_message_ranges(output, message);
                write_nested(output, message);
                proto_extensions(
                        output, message->extension, message->n_extension, MESSAGE_EXTENSION);
        }

        proto_close_block(output);
        output->scope = outer;
}
