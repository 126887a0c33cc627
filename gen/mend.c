#include "gen/mend.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gen/memory.h"
#include "gen/names.h"
#include "gen/text.h"

typedef Google__Protobuf__FieldDescriptorProto field_descriptor;

struct named_field {
        const char *name;
        int32_t number;
        size_t index; /* in the order of numbers, as protoc-c has them */
};

static bool is_renamed(struct pipit_arena *arena, const char *name)
{
        return strcmp(names_field_for_protoc_c(arena, name), name) != 0;
}

static bool has_renamed(struct pipit_arena *arena, const Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_field; i++)
                if (is_renamed(arena, message->field[i]->name))
                        return true;

        return false;
}

/* @content with @replacement instead of the bytes from @begin to @end. */
static const char *splice(struct pipit_arena *arena,
                          const char *content,
                          const char *begin,
                          const char *end,
                          const char *replacement)
{
        struct text text = {.arena = arena};

        text_add_bytes(&text, content, (size_t)(begin - content));
        text_add(&text, "%s%s", replacement, end);

        return text.bytes;
}

static void fail_layout(struct diagnostics *diagnostics,
                        const char *what,
                        const char *message,
                        const char *consequence)
{
        diagnostics_add(diagnostics,
                        "protoc-c wrote %s of %s in a layout that is not known here (that of 1.4 "
                        "and 1.5 is), so that %s; another one can be given with "
                        "--pipit_opt=protoc_gen_c=PATH",
                        what,
                        message,
                        consequence);
}

/* The first @old behind @head and before the table's end becomes @new. NULL: there is none. */
static const char *replace_in_table(struct pipit_arena *arena,
                                    const char *content,
                                    const char *head,
                                    const char *old,
                                    const char *new)
{
        const char *table = strstr(content, head);
        const char *end = table ? strstr(table, "\n};\n") : NULL;
        const char *at = end ? strstr(table, old) : NULL;

        if (!at || at >= end)
                return NULL;

        return splice(arena, content, at, at + strlen(old), new);
}

/* NULL: the table is not as expected. */
static const char *restore_fields(struct pipit_arena *arena,
                                  const struct types_message *message,
                                  const char *source)
{
        const char *head =
                gen_printf(arena,
                           "\nstatic const ProtobufCFieldDescriptor %s__field_descriptors[",
                           names_message_lower(arena, message->full_name));

        for (size_t i = 0; i < message->descriptor->n_field && source; i++) {
                const char *name = message->descriptor->field[i]->name;
                const char *renamed = names_field_for_protoc_c(arena, name);

                if (strcmp(name, renamed) != 0)
                        source = replace_in_table(arena,
                                                  source,
                                                  head,
                                                  gen_printf(arena, "{\n    \"%s\",\n", renamed),
                                                  gen_printf(arena, "{\n    \"%s\",\n", name));
        }

        return source;
}

static int compare_numbers(const void *a, const void *b)
{
        const struct named_field *left = a;
        const struct named_field *right = b;

        return left->number < right->number ? -1 : left->number > right->number;
}

static int compare_names(const void *a, const void *b)
{
        const struct named_field *left = a;
        const struct named_field *right = b;

        return strcmp(left->name, right->name);
}

static struct named_field *sort_by_name(struct pipit_arena *arena,
                                        const Google__Protobuf__DescriptorProto *message)
{
        struct named_field *fields = gen_alloc_array(arena, message->n_field, sizeof(*fields));

        for (size_t i = 0; i < message->n_field; i++) {
                fields[i].name = message->field[i]->name;
                fields[i].number = message->field[i]->number;
        }
        qsort(fields, message->n_field, sizeof(*fields), compare_numbers);
        for (size_t i = 0; i < message->n_field; i++)
                fields[i].index = i;
        qsort(fields, message->n_field, sizeof(*fields), compare_names);

        return fields;
}

/* protobuf-c searches it by halves: another name may have another place. NULL: it is not there. */
static const char *restore_order(struct pipit_arena *arena,
                                 const struct types_message *message,
                                 const char *source)
{
        const char *head = gen_printf(arena,
                                      "\nstatic const unsigned %s__field_indices_by_name[] = {\n",
                                      names_message_lower(arena, message->full_name));
        const struct named_field *fields = sort_by_name(arena, message->descriptor);
        const char *table = strstr(source, head);
        const char *end = table ? strstr(table + strlen(head), "};\n") : NULL;
        struct text text = {.arena = arena};

        if (!end)
                return NULL;

        for (size_t i = 0; i < message->descriptor->n_field; i++)
                text_add(&text,
                         "  %zu,   /* field[%zu] = %s */\n",
                         fields[i].index,
                         fields[i].index,
                         fields[i].name);

        return splice(arena, source, table + strlen(head), end, text.bytes);
}

/* NULL: it is in the diagnostics why. */
static const char *restore_message(const struct types_message *message,
                                   const char *source,
                                   struct diagnostics *diagnostics)
{
        static const char misnamed[] = "a field that C cannot name would keep another name";
        struct pipit_arena *arena = diagnostics->text.arena;
        const char *restored = restore_fields(arena, message, source);

        if (!restored)
                fail_layout(diagnostics, "the table of fields", message->full_name, misnamed);
        else if (!(restored = restore_order(arena, message, restored)))
                fail_layout(
                        diagnostics, "the order of fields by name", message->full_name, misnamed);

        return restored;
}

const char *mend_source(const struct types *types,
                        const char *source,
                        struct diagnostics *diagnostics)
{
        for (size_t i = 0; i < types->n_messages; i++) {
                const struct types_message *message = &types->messages[i];
                const char *restored;

                if (!has_renamed(diagnostics->text.arena, message->descriptor))
                        continue;
                restored = restore_message(message, source, diagnostics);
                source = restored ? restored : source;
        }

        return source;
}

static const field_descriptor *first_of_oneof(const Google__Protobuf__DescriptorProto *message,
                                              size_t oneof)
{
        for (size_t i = 0; i < message->n_field; i++)
                if (message->field[i]->has_oneof_index &&
                    (size_t)message->field[i]->oneof_index == oneof)
                        return message->field[i];

        return NULL;
}

/* Of a union whose first member is a struct, "{0}" lacks a pair of braces. NULL: it is not there. */
static const char *brace_oneof(struct pipit_arena *arena,
                               const struct types_message *message,
                               size_t oneof,
                               const char *header)
{
        const char *name = message->descriptor->oneof_decl[oneof]->name;
        const char *upper =
                names_message_upper(arena, gen_printf(arena, "%s.%s", message->full_name, name));
        const char *marker = gen_printf(arena, ", %s__NOT_SET, {0}", upper);
        const char *at = strstr(header, marker);

        if (!at)
                return NULL;
        at += strlen(marker) - strlen("{0}");

        return splice(arena, header, at, at + strlen("{0}"), "{{0}}");
}

static bool starts_with_struct(const struct types_message *message, size_t oneof)
{
        const field_descriptor *first = first_of_oneof(message->descriptor, oneof);

        return first && first->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES;
}

/* Of a value that no initializer needs: those have the first one, which is 0. */
static bool is_deprecated(const Google__Protobuf__EnumValueDescriptorProto *value)
{
        return value->options && value->options->deprecated && value->number != 0;
}

/* Puts the attribute behind the constant's name. NULL: it is not there. */
static const char *deprecate_value(struct pipit_arena *arena,
                                   const struct types_enum *enumeration,
                                   const Google__Protobuf__EnumValueDescriptorProto *value,
                                   const char *header)
{
        const char *prefix = names_message_upper(arena, enumeration->full_name);
        const char *name = gen_printf(arena, "\n  %s__%s", prefix, value->name);
        const char *at = strstr(header, gen_printf(arena, "%s = %d", name, (int)value->number));

        if (!at)
                return NULL;
        at += strlen(name);

        return splice(arena, header, at, at, " PROTOBUF_C__DEPRECATED");
}

static const char *mend_enum(const struct types_enum *enumeration,
                             const char *header,
                             struct diagnostics *diagnostics)
{
        for (size_t i = 0; i < enumeration->descriptor->n_value; i++) {
                const Google__Protobuf__EnumValueDescriptorProto *value =
                        enumeration->descriptor->value[i];
                const char *mended;

                if (!is_deprecated(value))
                        continue;
                mended = deprecate_value(diagnostics->text.arena, enumeration, value, header);
                if (mended)
                        header = mended;
                else
                        fail_layout(diagnostics,
                                    "the values",
                                    enumeration->full_name,
                                    "nobody would be told that some are deprecated");
        }

        return header;
}

static const char *mend_message(const struct types_message *message,
                                const char *header,
                                struct diagnostics *diagnostics)
{
        for (size_t i = 0; i < message->descriptor->n_oneof_decl; i++) {
                const char *mended;

                if (!starts_with_struct(message, i))
                        continue;
                mended = brace_oneof(diagnostics->text.arena, message, i, header);
                if (mended)
                        header = mended;
                else
                        fail_layout(diagnostics,
                                    "the initializer",
                                    message->full_name,
                                    "compilers would miss braces in it");
        }

        return header;
}

const char *mend_header(const struct types *types,
                        const char *header,
                        struct diagnostics *diagnostics)
{
        for (size_t i = 0; i < types->n_messages; i++)
                header = mend_message(&types->messages[i], header, diagnostics);
        for (size_t i = 0; i < types->n_enums; i++)
                header = mend_enum(&types->enums[i], header, diagnostics);

        return header;
}
