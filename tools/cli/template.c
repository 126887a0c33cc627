#include "tools/cli/template.h"

#include <string.h>

#include "core/base/macros.h"
#include "core/json/field.h"
#include "core/json/writer.h"

/* Deeper than that nobody fills a template in. */
#define DEPTH_MAX 16

/* Past it messages stay empty: where each names many others, all of them are more than can be read. */
#define BYTES_MAX ((size_t)64 * 1024)

struct template
{
        struct pipit_json_writer writer;
        const struct pipit_schema *schema;
        const ProtobufCMessageDescriptor *path[DEPTH_MAX]; /* from the outermost down */
        size_t n_path;
};

static void write_message(struct template *template, const ProtobufCMessageDescriptor *descriptor);

/* Types with a JSON form of their own. */
static const struct {
        const char *name;
        const char *json;
} known[] = {
        {"google.protobuf.Any", "{}"},
        {"google.protobuf.BoolValue", "false"},
        {"google.protobuf.BytesValue", "\"\""},
        {"google.protobuf.DoubleValue", "0"},
        {"google.protobuf.Duration", "\"0s\""},
        {"google.protobuf.FieldMask", "\"\""},
        {"google.protobuf.FloatValue", "0"},
        {"google.protobuf.Int32Value", "0"},
        {"google.protobuf.Int64Value", "\"0\""},
        {"google.protobuf.ListValue", "[]"},
        {"google.protobuf.StringValue", "\"\""},
        {"google.protobuf.Struct", "{}"},
        {"google.protobuf.Timestamp", "\"1970-01-01T00:00:00Z\""},
        {"google.protobuf.UInt32Value", "0"},
        {"google.protobuf.UInt64Value", "\"0\""},
        {"google.protobuf.Value", "null"},
};

static const char *known_json(const ProtobufCMessageDescriptor *descriptor)
{
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(known); i++) {
                if (strcmp(known[i].name, descriptor->name) == 0)
                        return known[i].json;
        }

        return NULL;
}

static void write_enum(struct template *template, const ProtobufCEnumDescriptor *descriptor)
{
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, 0);

        if (strcmp(descriptor->name, "google.protobuf.NullValue") == 0) {
                pipit_json_writer_raw(&template->writer, "null");
                return;
        }
        if (!value)
                value = &descriptor->values[0];
        pipit_json_writer_string(&template->writer, value->name, strlen(value->name));
}

static void write_value(struct template *template, const ProtobufCFieldDescriptor *field)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_BOOL:
                pipit_json_writer_raw(&template->writer, "false");
                break;
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_BYTES:
                pipit_json_writer_string(&template->writer, "", 0);
                break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                pipit_json_writer_string(&template->writer, "0", 1);
                break;
        case PROTOBUF_C_TYPE_ENUM:
                write_enum(template, field->descriptor);
                break;
        case PROTOBUF_C_TYPE_MESSAGE:
                write_message(template, field->descriptor);
                break;
        default:
                pipit_json_writer_raw(&template->writer, "0");
                break;
        }
}

/* "key" for strings, else what a key of that type looks like. */
static void write_map(struct template *template, const ProtobufCMessageDescriptor *entry)
{
        const ProtobufCFieldDescriptor *key = &entry->fields[0];

        pipit_json_writer_begin(&template->writer, '{');
        pipit_json_writer_key(&template->writer,
                              key->type == PROTOBUF_C_TYPE_STRING ? "key"
                              : key->type == PROTOBUF_C_TYPE_BOOL ? "false"
                                                                  : "0");
        write_value(template, &entry->fields[1]);
        pipit_json_writer_end(&template->writer, '}');
}

static bool is_open(const struct template *template, const ProtobufCMessageDescriptor *descriptor)
{
        for (size_t i = 0; i < template->n_path; i++) {
                if (template->path[i] == descriptor)
                        return true;
        }

        return template->n_path == DEPTH_MAX || template->writer.n_bytes > BYTES_MAX;
}

/* Members of a oneof share what says which is set. */
static bool is_later_in_oneof(const ProtobufCMessageDescriptor *descriptor, unsigned index)
{
        const ProtobufCFieldDescriptor *field = &descriptor->fields[index];

        if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
                return false;

        for (unsigned i = 0; i < index; i++) {
                if ((descriptor->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
                    descriptor->fields[i].quantifier_offset == field->quantifier_offset)
                        return true;
        }

        return false;
}

/* A message that is open already ends here: empty, or as no element. */
static bool ends_here(const struct template *template, const ProtobufCFieldDescriptor *field)
{
        return field->type == PROTOBUF_C_TYPE_MESSAGE && !known_json(field->descriptor) &&
               is_open(template, field->descriptor);
}

static void write_name(struct template *template,
                       const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *field)
{
        const char *name =
                pipit_schema_json_key(template->schema, descriptor, field, template->writer.arena);

        pipit_json_writer_key(&template->writer, name ? name : field->name);
}

static void write_field(struct template *template,
                        const ProtobufCMessageDescriptor *descriptor,
                        const ProtobufCFieldDescriptor *field)
{
        const bool is_map = pipit_schema_is_map(template->schema, descriptor, field);
        const ProtobufCMessageDescriptor *entry = is_map ? field->descriptor : NULL;

        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
                if (ends_here(template, field))
                        return;
                write_name(template, descriptor, field);
                write_value(template, field);
                return;
        }

        write_name(template, descriptor, field);
        if (entry && !ends_here(template, &entry->fields[1])) {
                write_map(template, entry);
                return;
        }

        pipit_json_writer_begin(&template->writer, entry ? '{' : '[');
        if (!entry && !ends_here(template, field))
                write_value(template, field);
        pipit_json_writer_end(&template->writer, entry ? '}' : ']');
}

static void write_message(struct template *template, const ProtobufCMessageDescriptor *descriptor)
{
        const char *json = known_json(descriptor);

        if (json) {
                pipit_json_writer_raw(&template->writer, json);
                return;
        }

        pipit_json_writer_begin(&template->writer, '{');
        template->path[template->n_path++] = descriptor;
        for (unsigned i = 0; i < descriptor->n_fields; i++) {
                if (!is_later_in_oneof(descriptor, i))
                        write_field(template, descriptor, &descriptor->fields[i]);
        }
        template->n_path--;
        pipit_json_writer_end(&template->writer, '}');
}

char *cli_template(const ProtobufCMessageDescriptor *descriptor,
                   const struct pipit_schema *schema,
                   bool pretty,
                   struct pipit_arena *arena)
{
        struct template template = {
                .writer = {.arena = arena, .pretty = pretty},
                .schema = schema,
        };

        write_message(&template, descriptor);
        return pipit_json_writer_finish(&template.writer);
}
