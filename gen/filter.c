#include "gen/filter.h"

#include <stdbool.h>

#include "gen/imports.h"
#include "gen/names.h"
#include "gen/source.h"

/* Custom options are extensions, which arrive as unknown fields. @options may be NULL. */
#define CLEAR_CUSTOM_OPTIONS(options)                                                              \
        do {                                                                                       \
                if (options) {                                                                     \
                        (options)->base.n_unknown_fields = 0;                                      \
                        (options)->n_uninterpreted_option = 0;                                     \
                }                                                                                  \
        } while (0)

static void clear_enum_options(Google__Protobuf__EnumDescriptorProto *enumeration)
{
        CLEAR_CUSTOM_OPTIONS(enumeration->options);
        for (size_t i = 0; i < enumeration->n_value; i++)
                CLEAR_CUSTOM_OPTIONS(enumeration->value[i]->options);
}

static void clear_member_options(Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_field; i++)
                CLEAR_CUSTOM_OPTIONS(message->field[i]->options);
        for (size_t i = 0; i < message->n_oneof_decl; i++)
                CLEAR_CUSTOM_OPTIONS(message->oneof_decl[i]->options);
        for (size_t i = 0; i < message->n_extension_range; i++)
                CLEAR_CUSTOM_OPTIONS(message->extension_range[i]->options);
}

static void clear_message_options(Google__Protobuf__DescriptorProto *message)
{
        CLEAR_CUSTOM_OPTIONS(message->options);
        clear_member_options(message);
        for (size_t i = 0; i < message->n_enum_type; i++)
                clear_enum_options(message->enum_type[i]);
        for (size_t i = 0; i < message->n_nested_type; i++)
                clear_message_options(message->nested_type[i]);
}

static void clear_options(Google__Protobuf__FileDescriptorProto *file)
{
        CLEAR_CUSTOM_OPTIONS(file->options);
        for (size_t i = 0; i < file->n_message_type; i++)
                clear_message_options(file->message_type[i]);
        for (size_t i = 0; i < file->n_enum_type; i++)
                clear_enum_options(file->enum_type[i]);
}

static void clear_message_extensions(Google__Protobuf__DescriptorProto *message)
{
        message->n_extension = 0;
        for (size_t i = 0; i < message->n_nested_type; i++)
                clear_message_extensions(message->nested_type[i]);
}

static void clear_extensions(Google__Protobuf__FileDescriptorProto *file)
{
        file->n_extension = 0;
        for (size_t i = 0; i < file->n_message_type; i++)
                clear_message_extensions(file->message_type[i]);
}

/* Nobody but the generated code sees it: mend.h gives the descriptor its own name back. */
static void rename_fields(struct pipit_arena *arena, Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_field; i++)
                message->field[i]->name = names_field_for_protoc_c(arena, message->field[i]->name);
        for (size_t i = 0; i < message->n_nested_type; i++)
                rename_fields(arena, message->nested_type[i]);
}

static void clear_optional(Google__Protobuf__DescriptorProto *message)
{
        for (size_t i = 0; i < message->n_field; i++) {
                message->field[i]->has_proto3_optional = false;
                message->field[i]->proto3_optional = false;
        }
        for (size_t i = 0; i < message->n_nested_type; i++)
                clear_optional(message->nested_type[i]);
}

/* Inside { 4, message } or { 4, message, 3, nested, ... }: whether it leads to an extension. */
static bool leads_to_nested_extension(const int32_t *path, size_t n_path)
{
        size_t i = 0;

        while (i + 2 < n_path &&
               (i == 0 ? path[i] == SOURCE_FILE_MESSAGE : path[i] == SOURCE_MESSAGE_NESTED))
                i += 2;

        return i > 0 && i < n_path && path[i] == SOURCE_MESSAGE_EXTENSION;
}

static bool leads_to_what_is_filtered(const int32_t *path, size_t n_path)
{
        if (n_path == 0)
                return false;

        switch (path[0]) {
        case SOURCE_FILE_DEPENDENCY:
        case SOURCE_FILE_PUBLIC_DEPENDENCY:
        case SOURCE_FILE_WEAK_DEPENDENCY:
        case SOURCE_FILE_SERVICE:
        case SOURCE_FILE_EXTENSION:
        case SOURCE_FILE_OPTIONS:
                return true;
        default:
                return leads_to_nested_extension(path, n_path);
        }
}

static void filter_locations(Google__Protobuf__SourceCodeInfo *info)
{
        size_t n_kept = 0;

        for (size_t i = 0; i < info->n_location; i++)
                if (!leads_to_what_is_filtered(info->location[i]->path, info->location[i]->n_path))
                        info->location[n_kept++] = info->location[i];

        info->n_location = n_kept;
}

void filter_for_messages(struct pipit_arena *arena, const struct index *index, size_t file_index)
{
        Google__Protobuf__FileDescriptorProto *file = index->files[file_index];

        imports_filter(arena, file, imports_needed(arena, index, file_index));
        clear_options(file);
        clear_extensions(file);
        /* CODE_SIZE leaves out the names of fields */
        if (file->options)
                file->options->has_optimize_for = false;
        for (size_t i = 0; i < file->n_message_type; i++) {
                clear_optional(file->message_type[i]);
                rename_fields(arena, file->message_type[i]);
        }
        file->n_service = 0;
        if (file->source_code_info)
                filter_locations(file->source_code_info);
}

void filter_for_embedding(struct pipit_arena *arena, const struct index *index, size_t file_index)
{
        Google__Protobuf__FileDescriptorProto *file = index->files[file_index];

        imports_filter(arena, file, imports_needed(arena, index, file_index));
        clear_extensions(file);
        file->source_code_info = NULL;
}
