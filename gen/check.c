#include "gen/check.h"

#include <string.h>

static bool is_well_formed_message(const Google__Protobuf__DescriptorProto *message)
{
        if (!message->name)
                return false;
        for (size_t i = 0; i < message->n_enum_type; i++)
                if (!message->enum_type[i]->name)
                        return false;
        for (size_t i = 0; i < message->n_nested_type; i++)
                if (!is_well_formed_message(message->nested_type[i]))
                        return false;

        return true;
}

static bool is_well_formed_service(const Google__Protobuf__ServiceDescriptorProto *service)
{
        if (!service->name)
                return false;
        for (size_t i = 0; i < service->n_method; i++) {
                const Google__Protobuf__MethodDescriptorProto *method = service->method[i];

                if (!method->name || !method->input_type || !method->output_type)
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
            !are_indices_below(file->public_dependency, file->n_public_dependency, n) ||
            !are_indices_below(file->weak_dependency, file->n_weak_dependency, n))
                return false;
        for (size_t i = 0; i < file->n_enum_type; i++)
                if (!file->enum_type[i]->name)
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

static void check_syntax(const struct model_file *file, struct diagnostics *diagnostics)
{
        const char *syntax = file->descriptor->syntax ? file->descriptor->syntax : "proto2";
        struct source_path path = {.elements = {SOURCE_FILE_SYNTAX}, .n_elements = 1};

        if (strcmp(syntax, "proto3") == 0)
                return;

        diagnostics_add_at(diagnostics,
                           file->descriptor,
                           path,
                           "only proto3 is supported, not %s (the runtime checks and converts "
                           "messages by proto3's rules of presence, defaults and enums)",
                           syntax);
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

void check_supported(const struct model_file *file,
                     const struct gen_options *options,
                     struct diagnostics *diagnostics)
{
        check_name(file, diagnostics);
        if (options->descriptors_only)
                return;

        check_syntax(file, diagnostics);
        check_package(file, diagnostics);
        for (size_t i = 0; i < file->n_services; i++)
                for (size_t k = 0; k < file->services[i].n_methods; k++)
                        check_method(file,
                                     &file->services[i],
                                     &file->services[i].methods[k],
                                     diagnostics);
}
