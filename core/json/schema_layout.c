#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/json/field.h"
#include "core/json/schema_private.h"

#define FIELD_NUMBER_MAX ((1 << 29) - 1)

/* A message on its way: the fields by number, and the struct as far as it goes. */
struct layout {
        struct schema_batch *batch;
        struct schema_message *message;
        const Google__Protobuf__DescriptorProto *proto;
        ProtobufCFieldDescriptor *fields;                      /* by number */
        const Google__Protobuf__FieldDescriptorProto **protos; /* by number */
        const char **json_names;                               /* by number */
        size_t size;
        size_t alignment;
};

/* --- one field --------------------------------------------------------------- */

static bool map_type(int type, ProtobufCType *ret_type)
{
        static const struct {
                int proto;
                ProtobufCType c;
        } rows[] = {
#define TYPE_ROW(name)                                                                             \
        {GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name, PROTOBUF_C_TYPE_##name}
                TYPE_ROW(DOUBLE),
                TYPE_ROW(FLOAT),
                TYPE_ROW(INT64),
                TYPE_ROW(UINT64),
                TYPE_ROW(INT32),
                TYPE_ROW(FIXED64),
                TYPE_ROW(FIXED32),
                TYPE_ROW(BOOL),
                TYPE_ROW(STRING),
                TYPE_ROW(MESSAGE),
                TYPE_ROW(BYTES),
                TYPE_ROW(UINT32),
                TYPE_ROW(ENUM),
                TYPE_ROW(SFIXED32),
                TYPE_ROW(SFIXED64),
                TYPE_ROW(SINT32),
                TYPE_ROW(SINT64),
#undef TYPE_ROW
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++) {
                if (rows[i].proto == type) {
                        *ret_type = rows[i].c;
                        return true;
                }
        }

        return false;
}

static ProtobufCLabel map_label(const struct layout *layout,
                                const Google__Protobuf__FieldDescriptorProto *proto)
{
        if (proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED)
                return PROTOBUF_C_LABEL_REPEATED;
        if (schema_is_proto3(layout->message->file))
                return PROTOBUF_C_LABEL_NONE;
        if (proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED)
                return PROTOBUF_C_LABEL_REQUIRED;

        return PROTOBUF_C_LABEL_OPTIONAL;
}

static bool is_packed(const struct layout *layout,
                      const Google__Protobuf__FieldDescriptorProto *proto,
                      const ProtobufCFieldDescriptor *field)
{
        if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type == PROTOBUF_C_TYPE_STRING ||
            field->type == PROTOBUF_C_TYPE_BYTES || field->type == PROTOBUF_C_TYPE_MESSAGE)
                return false;

        return proto->options && proto->options->has_packed
                       ? proto->options->packed
                       : schema_is_proto3(layout->message->file);
}

static enum pipit_status resolve_type(const struct layout *layout,
                                      const Google__Protobuf__FieldDescriptorProto *proto,
                                      ProtobufCFieldDescriptor *field)
{
        const char *message = layout->message->descriptor.name;

        if (field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_ENUM)
                return PIPIT_OK;
        if (!proto->type_name || proto->type_name[0] != '.')
                return schema_invalid(layout->batch,
                                      "%s.%s has a type without a full name",
                                      message,
                                      field->name);

        const char *name = proto->type_name + 1;

        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
                field->descriptor = pipit_schema_message(layout->batch->schema, name);
        else
                field->descriptor = pipit_schema_enum(layout->batch->schema, name);

        if (!field->descriptor)
                return schema_invalid(layout->batch,
                                      "%s.%s: there is no %s %s; was the set made with "
                                      "--include_imports?",
                                      message,
                                      field->name,
                                      pipit_field_type_name(field->type),
                                      name);

        return PIPIT_OK;
}

static enum pipit_status build_field(struct layout *layout,
                                     const Google__Protobuf__FieldDescriptorProto *proto,
                                     ProtobufCFieldDescriptor *field)
{
        const char *message = layout->message->descriptor.name;
        enum pipit_status status;

        if (!proto->name || proto->name[0] == '\0')
                return schema_invalid(layout->batch, "a field of %s has no name", message);
        if (proto->number < 1 || proto->number > FIELD_NUMBER_MAX)
                return schema_invalid(layout->batch,
                                      "%s.%s has the number %d, which is none",
                                      message,
                                      proto->name,
                                      proto->number);
        if (!proto->has_type || !map_type((int)proto->type, &field->type))
                return schema_invalid(layout->batch,
                                      "%s.%s is of a type that is not supported (a group?)",
                                      message,
                                      proto->name);

        field->name = proto->name;
        field->id = (uint32_t)proto->number;
        field->label = map_label(layout, proto);
        if (is_packed(layout, proto, field))
                field->flags |= PROTOBUF_C_FIELD_FLAG_PACKED;
        if (proto->options && proto->options->deprecated)
                field->flags |= PROTOBUF_C_FIELD_FLAG_DEPRECATED;
        if (proto->has_oneof_index) {
                if (proto->oneof_index < 0 ||
                    (size_t)proto->oneof_index >= layout->proto->n_oneof_decl ||
                    field->label == PROTOBUF_C_LABEL_REPEATED)
                        return schema_invalid(layout->batch,
                                              "%s.%s is in a oneof that does not exist",
                                              message,
                                              proto->name);
                field->flags |= PROTOBUF_C_FIELD_FLAG_ONEOF;
        }

        status = resolve_type(layout, proto, field);
        if (status != PIPIT_OK || field->label == PROTOBUF_C_LABEL_REPEATED ||
            proto->has_oneof_index)
                return status;

        return schema_default_value(layout->batch, proto, field, &field->default_value);
}

/* --- the struct ---------------------------------------------------------------- */

static size_t place(struct layout *layout, size_t size, size_t alignment)
{
        size_t offset = (layout->size + alignment - 1) / alignment * alignment;

        layout->size = offset + size;
        if (alignment > layout->alignment)
                layout->alignment = alignment;

        return offset;
}

static void place_plain(struct layout *layout, ProtobufCFieldDescriptor *field)
{
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                field->quantifier_offset =
                        (unsigned)place(layout, sizeof(size_t), _Alignof(size_t));
                field->offset = (unsigned)place(layout, sizeof(void *), _Alignof(void *));
                return;
        }

        if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
            field->type != PROTOBUF_C_TYPE_MESSAGE)
                field->quantifier_offset = (unsigned)place(
                        layout, sizeof(protobuf_c_boolean), _Alignof(protobuf_c_boolean));
        field->offset = (unsigned)place(
                layout, pipit_field_size(field->type), pipit_field_alignment(field->type));
}

/* The case enum, and a union as large as its largest member. */
static void place_oneof(struct layout *layout, int32_t oneof)
{
        size_t n_fields = layout->proto->n_field, size = 0, alignment = 1;
        unsigned quantifier, offset;

        for (size_t i = 0; i < n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &layout->fields[i];

                if (!layout->protos[i]->has_oneof_index || layout->protos[i]->oneof_index != oneof)
                        continue;
                if (pipit_field_size(field->type) > size)
                        size = pipit_field_size(field->type);
                if (pipit_field_alignment(field->type) > alignment)
                        alignment = pipit_field_alignment(field->type);
        }
        if (size == 0)
                return;

        quantifier = (unsigned)place(layout, sizeof(int), _Alignof(int));
        offset = (unsigned)place(layout, (size + alignment - 1) / alignment * alignment, alignment);

        for (size_t i = 0; i < n_fields; i++) {
                if (layout->protos[i]->has_oneof_index && layout->protos[i]->oneof_index == oneof) {
                        layout->fields[i].quantifier_offset = quantifier;
                        layout->fields[i].offset = offset;
                }
        }
}

static void place_all(struct layout *layout)
{
        layout->size = sizeof(ProtobufCMessage);
        layout->alignment = _Alignof(ProtobufCMessage);

        for (size_t i = 0; i < layout->proto->n_field; i++) {
                if (!layout->protos[i]->has_oneof_index)
                        place_plain(layout, &layout->fields[i]);
        }
        for (size_t i = 0; i < layout->proto->n_oneof_decl; i++)
                place_oneof(layout, (int32_t)i);

        layout->message->descriptor.sizeof_message =
                (layout->size + layout->alignment - 1) / layout->alignment * layout->alignment;
}

/* --- tables -------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
        const Google__Protobuf__FieldDescriptorProto *const *left = a, *const *right = b;

        return ((*left)->number > (*right)->number) - ((*left)->number < (*right)->number);
}

struct named_index {
        const char *name;
        unsigned index;
};

static int compare_names(const void *a, const void *b)
{
        const struct named_index *left = a, *right = b;

        return strcmp(left->name, right->name);
}

static enum pipit_status index_names(struct layout *layout)
{
        struct pipit_arena *arena = &layout->batch->schema->arena;
        size_t n_fields = layout->proto->n_field;
        unsigned *indices = pipit_arena_alloc(arena, n_fields * sizeof(*indices));
        struct named_index *names = pipit_arena_alloc(arena, n_fields * sizeof(*names));

        if (!indices || !names)
                return schema_out_of_memory(layout->batch);

        for (unsigned i = 0; i < n_fields; i++)
                names[i] = (struct named_index){layout->fields[i].name, i};
        qsort(names, n_fields, sizeof(*names), compare_names);

        for (size_t i = 0; i < n_fields; i++) {
                if (i > 0 && strcmp(names[i - 1].name, names[i].name) == 0)
                        return schema_invalid(layout->batch,
                                              "%s.%s is defined twice",
                                              layout->message->descriptor.name,
                                              names[i].name);
                indices[i] = names[i].index;
        }

        layout->message->descriptor.fields_sorted_by_name = indices;
        return PIPIT_OK;
}

static enum pipit_status index_numbers(struct layout *layout)
{
        size_t n_fields = layout->proto->n_field;
        int *numbers = pipit_arena_alloc(&layout->batch->schema->arena, n_fields * sizeof(int));

        if (!numbers)
                return schema_out_of_memory(layout->batch);

        for (size_t i = 0; i < n_fields; i++) {
                numbers[i] = (int)layout->fields[i].id;
                if (i > 0 && numbers[i] == numbers[i - 1])
                        return schema_invalid(layout->batch,
                                              "%s has two fields of number %d",
                                              layout->message->descriptor.name,
                                              numbers[i]);
        }

        return schema_ranges(layout->batch,
                             numbers,
                             (unsigned)n_fields,
                             &layout->message->descriptor.field_ranges,
                             &layout->message->descriptor.n_field_ranges);
}

static enum pipit_status build_fields(struct layout *layout)
{
        size_t n_fields = layout->proto->n_field;
        struct pipit_arena *arena = &layout->batch->schema->arena;

        layout->fields = pipit_arena_zalloc(arena, n_fields * sizeof(*layout->fields));
        layout->json_names = pipit_arena_zalloc(arena, n_fields * sizeof(*layout->json_names));
        layout->protos =
                pipit_arena_memdup(arena, layout->proto->field, n_fields * sizeof(*layout->protos));
        if (!layout->fields || !layout->json_names || !layout->protos)
                return schema_out_of_memory(layout->batch);

        qsort(layout->protos, n_fields, sizeof(*layout->protos), compare_numbers);
        for (size_t i = 0; i < n_fields; i++) {
                enum pipit_status status =
                        build_field(layout, layout->protos[i], &layout->fields[i]);

                if (status != PIPIT_OK)
                        return status;
                layout->json_names[i] = layout->protos[i]->json_name;
        }

        return PIPIT_OK;
}

enum pipit_status schema_layout_message(struct schema_batch *batch, struct schema_message *message)
{
        struct layout layout = {.batch = batch, .message = message, .proto = message->proto};
        enum pipit_status status;

        if (message->proto->n_field > INT_MAX)
                return schema_invalid(batch, "%s has too many fields", message->descriptor.name);

        message->descriptor.sizeof_message = sizeof(ProtobufCMessage);
        if (message->proto->n_field == 0)
                return PIPIT_OK;

        status = build_fields(&layout);
        if (status != PIPIT_OK)
                return status;

        place_all(&layout);
        status = index_names(&layout);
        if (status == PIPIT_OK)
                status = index_numbers(&layout);

        message->descriptor.fields = layout.fields;
        message->descriptor.n_fields = (unsigned)message->proto->n_field;
        message->json_names = layout.json_names;
        return status;
}
