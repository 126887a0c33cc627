#include "gen/check.h"

#include <string.h>

#include "gen/memory.h"

/* Names become part of code, so they must be what they seem; with @dotted, of several parts. */
static bool is_identifier(const char *name, bool dotted)
{
        bool starts = true;

        if (!name)
                return false;
        for (const char *c = name; *c; c++) {
                bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
                bool is_digit = *c >= '0' && *c <= '9';

                if (*c == '.' ? starts || !dotted : !is_letter && (starts || !is_digit))
                        return false;
                starts = *c == '.';
        }

        return !starts;
}

/* ".users.v1.User", of which the dot in front may be missing. */
static bool is_type_name(const char *name)
{
        return name && is_identifier(name[0] == '.' ? name + 1 : name, true);
}

static bool is_well_formed_enum(const Google__Protobuf__EnumDescriptorProto *enumeration)
{
        if (!is_identifier(enumeration->name, false))
                return false;
        for (size_t i = 0; i < enumeration->n_value; i++)
                if (!is_identifier(enumeration->value[i]->name, false))
                        return false;

        return true;
}

static bool is_well_formed_field(const Google__Protobuf__FieldDescriptorProto *field,
                                 size_t n_oneofs)
{
        if (!is_identifier(field->name, false) ||
            (field->type_name && !is_type_name(field->type_name)))
                return false;

        return !field->has_oneof_index ||
               (field->oneof_index >= 0 && (size_t)field->oneof_index < n_oneofs);
}

static bool is_well_formed_message(const Google__Protobuf__DescriptorProto *message)
{
        if (!is_identifier(message->name, false))
                return false;
        for (size_t i = 0; i < message->n_oneof_decl; i++)
                if (!is_identifier(message->oneof_decl[i]->name, false))
                        return false;
        for (size_t i = 0; i < message->n_field; i++)
                if (!is_well_formed_field(message->field[i], message->n_oneof_decl))
                        return false;
        for (size_t i = 0; i < message->n_enum_type; i++)
                if (!is_well_formed_enum(message->enum_type[i]))
                        return false;
        for (size_t i = 0; i < message->n_nested_type; i++)
                if (!is_well_formed_message(message->nested_type[i]))
                        return false;

        return true;
}

static bool is_well_formed_service(const Google__Protobuf__ServiceDescriptorProto *service)
{
        if (!is_identifier(service->name, false))
                return false;
        for (size_t i = 0; i < service->n_method; i++) {
                const Google__Protobuf__MethodDescriptorProto *method = service->method[i];

                if (!is_identifier(method->name, false) || !is_type_name(method->input_type) ||
                    !is_type_name(method->output_type))
                        return false;
        }

        return true;
}

static bool are_indices_below(const int32_t *indices, size_t n, size_t bound)
{
        for (size_t i = 0; i < n; i++)
                if (indices[i] < 0 || (size_t)indices[i] >= bound)
                        return false;

        return true;
}

static bool is_well_formed_file(const Google__Protobuf__FileDescriptorProto *file)
{
        size_t n = file->n_dependency;

        if (!file->name ||
            (file->package && file->package[0] && !is_identifier(file->package, true)) ||
            !are_indices_below(file->public_dependency, file->n_public_dependency, n) ||
            !are_indices_below(file->weak_dependency, file->n_weak_dependency, n))
                return false;
        for (size_t i = 0; i < file->n_enum_type; i++)
                if (!is_well_formed_enum(file->enum_type[i]))
                        return false;
        for (size_t i = 0; i < file->n_message_type; i++)
                if (!is_well_formed_message(file->message_type[i]))
                        return false;
        for (size_t i = 0; i < file->n_service; i++)
                if (!is_well_formed_service(file->service[i]))
                        return false;

        return true;
}

/* Imports come before who imports them, so following them ends. */
static bool are_imports_before(Google__Protobuf__FileDescriptorProto *const *files, size_t index)
{
        for (size_t i = 0; i < files[index]->n_dependency; i++) {
                size_t at = 0;

                while (at < index && strcmp(files[at]->name, files[index]->dependency[i]) != 0)
                        at++;
                if (at == index)
                        return false;
        }

        return true;
}

bool check_well_formed(Google__Protobuf__FileDescriptorProto *const *files, size_t n_files)
{
        for (size_t i = 0; i < n_files; i++)
                if (!is_well_formed_file(files[i]) || !are_imports_before(files, i))
                        return false;

        return true;
}

/* The name stands in comments, strings and #include lines. */
static void check_name(const struct model_file *file, struct diagnostics *diagnostics)
{
        for (const char *c = file->name; *c; c++)
                if ((unsigned char)*c < ' ' || strchr("\"\\*?", *c)) {
                        diagnostics_add(diagnostics,
                                        "%s: a file of that name cannot be included from C",
                                        file->name);
                        return;
                }
}

static bool check_syntax(const struct model_file *file, struct diagnostics *diagnostics)
{
        const char *syntax = file->descriptor->syntax ? file->descriptor->syntax : "proto2";
        struct source_path path = {.elements = {SOURCE_FILE_SYNTAX}, .n_elements = 1};

        if (strcmp(syntax, "proto3") == 0)
                return true;

        diagnostics_add_at(diagnostics,
                           file->descriptor,
                           path,
                           "only proto3 is supported, not %s (the runtime checks and converts "
                           "messages by proto3's rules of presence, defaults and enums)",
                           syntax);

        return false;
}

static void check_package(const struct model_file *file, struct diagnostics *diagnostics)
{
        const char *package = file->descriptor->package;
        struct source_path path = {.elements = {SOURCE_FILE_PACKAGE}, .n_elements = 1};

        if (file->n_services > 0 && package && strcmp(package, "pipit") == 0)
                diagnostics_add_at(diagnostics,
                                   file->descriptor,
                                   path,
                                   "services in package pipit would have the names of the library "
                                   "itself; call it pipit.v1, say");
}

static void check_method(const struct model_file *file,
                         const struct model_service *service,
                         const struct model_method *method,
                         struct diagnostics *diagnostics)
{
        int32_t where = method->descriptor->client_streaming ? SOURCE_METHOD_CLIENT_STREAMING
                                                             : SOURCE_METHOD_SERVER_STREAMING;
        struct source_path path = source_path_field(method->path, where);

        if (!method->descriptor->client_streaming && !method->descriptor->server_streaming)
                return;
        if (!source_find(file->descriptor, path))
                path = method->path;

        diagnostics_add_at(diagnostics,
                           file->descriptor,
                           path,
                           "%s.%s: streaming is not supported yet (a call is one request and one "
                           "response)",
                           service->descriptor->name,
                           method->descriptor->name);
}

static void check_type(const struct model_file *file,
                       const struct index *index,
                       const char *user,
                       const char *type_name,
                       struct source_path path,
                       struct diagnostics *diagnostics)
{
        size_t definer = type_name ? index_find_type(index, type_name) : INDEX_NONE;

        if (definer == INDEX_NONE || index_is_proto3(index, definer))
                return;

        diagnostics_add_at(diagnostics,
                           file->descriptor,
                           path,
                           "%s is of type %s, and %s is not proto3: no code can be had for it",
                           user,
                           type_name + (type_name[0] == '.'),
                           index->files[definer]->name);
}

static void check_fields(const struct model_file *file,
                         const struct index *index,
                         const struct types_message *message,
                         struct diagnostics *diagnostics)
{
        struct pipit_arena *arena = diagnostics->text.arena;

        for (size_t i = 0; i < message->descriptor->n_field; i++) {
                const Google__Protobuf__FieldDescriptorProto *field = message->descriptor->field[i];
                struct source_path path = source_path_at(message->path, SOURCE_MESSAGE_FIELD, i);

                check_type(file,
                           index,
                           gen_printf(arena, "%s.%s", message->full_name, field->name),
                           field->type_name,
                           source_path_field(path, SOURCE_FIELD_TYPE_NAME),
                           diagnostics);
        }
}

static void check_method_types(const struct model_file *file,
                               const struct index *index,
                               const struct model_method *method,
                               struct diagnostics *diagnostics)
{
        check_type(file,
                   index,
                   gen_printf(diagnostics->text.arena, "the request of %s", method->wire_name),
                   method->descriptor->input_type,
                   source_path_field(method->path, SOURCE_METHOD_INPUT),
                   diagnostics);
        check_type(file,
                   index,
                   gen_printf(diagnostics->text.arena, "the response of %s", method->wire_name),
                   method->descriptor->output_type,
                   source_path_field(method->path, SOURCE_METHOD_OUTPUT),
                   diagnostics);
}

static void check_service(const struct model_file *file,
                          const struct index *index,
                          const struct model_service *service,
                          struct diagnostics *diagnostics)
{
        for (size_t i = 0; i < service->n_methods; i++) {
                check_method(file, service, &service->methods[i], diagnostics);
                check_method_types(file, index, &service->methods[i], diagnostics);
        }
}

void check_supported(const struct model_file *file,
                     const struct index *index,
                     const struct gen_options *options,
                     struct diagnostics *diagnostics)
{
        check_name(file, diagnostics);
        if (options->descriptors_only)
                return;

        if (!check_syntax(file, diagnostics))
                return;

        check_package(file, diagnostics);
        for (size_t i = 0; i < file->types.n_messages; i++)
                check_fields(file, index, &file->types.messages[i], diagnostics);
        for (size_t i = 0; i < file->n_services; i++)
                check_service(file, index, &file->services[i], diagnostics);
}
