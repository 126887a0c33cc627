#include "gen/check.h"

#include <stdlib.h>
#include <string.h>

#include "gen/memory.h"

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

bool check_well_formed(const Google__Protobuf__FileDescriptorProto *file)
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

static void check_syntax(const struct model_file *file, struct diagnostics *diagnostics)
{
        const char *syntax = file->descriptor->syntax ? file->descriptor->syntax : "proto2";
        struct source_path path = {.elements = {SOURCE_FILE_SYNTAX}, .n_elements = 1};

        if (strcmp(syntax, "proto3") == 0)
                return;

        diagnostics_add_at(diagnostics,
                           file->descriptor,
                           path,
                           "%s is not supported, only proto3 is (the runtime checks and converts "
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

void check_supported(const struct model_file *file, struct diagnostics *diagnostics)
{
        check_syntax(file, diagnostics);
        check_package(file, diagnostics);
        for (size_t i = 0; i < file->n_services; i++)
                for (size_t k = 0; k < file->services[i].n_methods; k++)
                        check_method(file,
                                     &file->services[i],
                                     &file->services[i].methods[k],
                                     diagnostics);
}

/* --- identifiers ----------------------------------------------------------- */

struct identifier {
        const char *name;
        const struct model_file *file;
        bool is_wanted;
        struct source_path path;
        const char *what;   /* "Service.Method", "Service", "the file" */
        const char *method; /* the base name of its method's functions, or NULL */
        size_t order;
};

struct identifiers {
        struct pipit_arena *arena;
        struct identifier *entries; /* NULL: only count */
        size_t n;
};

static void add(struct identifiers *identifiers, struct identifier identifier)
{
        identifier.order = identifiers->n;
        if (identifiers->entries)
                identifiers->entries[identifiers->n] = identifier;
        identifiers->n++;
}

static void add_method(struct identifiers *identifiers,
                       const struct model_service *service,
                       const struct model_method *method,
                       struct identifier identifier)
{
        static const char *const suffixes[] = {"", "_start", "_response", "_reply"};

        identifier.path = source_path_field(method->path, SOURCE_NAME);
        identifier.what = gen_printf(
                identifiers->arena, "%s.%s", service->descriptor->name, method->descriptor->name);
        identifier.method = method->function;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(suffixes); i++) {
                identifier.name =
                        gen_printf(identifiers->arena, "%s%s", method->function, suffixes[i]);
                add(identifiers, identifier);
        }
        identifier.name = method->dispatch;
        add(identifiers, identifier);
}

static void add_service(struct identifiers *identifiers,
                        const struct model_service *service,
                        struct identifier identifier)
{
        identifier.path = source_path_field(service->path, SOURCE_NAME);
        identifier.what = service->descriptor->name;
        identifier.name = service->table;
        add(identifiers, identifier);
        identifier.name = service->register_;
        add(identifiers, identifier);
        /* tags have a space of their own in C; the space in the name keeps it apart here */
        identifier.name = gen_printf(identifiers->arena, "struct %s", service->name);
        add(identifiers, identifier);

        for (size_t i = 0; i < service->n_methods; i++)
                add_method(identifiers, service, &service->methods[i], identifier);
}

static void add_all(struct identifiers *identifiers,
                    const struct model_file *files,
                    const bool *is_wanted,
                    size_t n_files)
{
        for (size_t i = 0; i < n_files; i++) {
                struct identifier identifier = {
                        .name = files[i].symbol,
                        .file = &files[i],
                        .is_wanted = is_wanted[i],
                        .what = "the file",
                };

                add(identifiers, identifier);
                for (size_t k = 0; k < files[i].n_services; k++)
                        add_service(identifiers, &files[i].services[k], identifier);
        }
}

static int compare_identifiers(const void *a, const void *b)
{
        const struct identifier *left = a;
        const struct identifier *right = b;
        int order = strcmp(left->name, right->name);

        if (order != 0)
                return order;

        return left->order < right->order ? -1 : 1;
}

static int compare_orders(const void *a, const void *b)
{
        const struct identifier *left = *(const struct identifier *const *)a;
        const struct identifier *right = *(const struct identifier *const *)b;

        return left->order < right->order ? -1 : left->order > right->order;
}

static void report(struct pipit_arena *arena,
                   const struct identifier *first,
                   const struct identifier *second,
                   const struct gen_options *options,
                   struct diagnostics *diagnostics)
{
        bool long_names_help = first->method && second->method && !options->long_names &&
                               strcmp(first->method, second->method) == 0;

        diagnostics_add_at(
                diagnostics,
                second->file->descriptor,
                second->path,
                "%s is %s in C, and so is %s (%s); %s",
                second->what,
                second->name,
                first->what,
                diagnostics_place(arena, first->file->descriptor, first->path),
                long_names_help
                        ? "rename one, or give --pipit_opt=long_names, which puts the service's "
                          "name in"
                        : "rename one");
}

/* Of equal names the first one stays; each other element is reported once, in the order of the files. */
static void report_all(struct identifiers *identifiers,
                       const struct gen_options *options,
                       struct diagnostics *diagnostics)
{
        const struct identifier **firsts =
                gen_alloc_array(identifiers->arena, identifiers->n, sizeof(*firsts));
        const struct identifier **seconds =
                gen_alloc_array(identifiers->arena, identifiers->n, sizeof(*seconds));
        const struct identifier *entries = identifiers->entries;
        const char *last = NULL;
        size_t n = 0;

        for (size_t i = 1, first = 0; i < identifiers->n; i++) {
                if (strcmp(entries[i].name, entries[first].name) != 0) {
                        first = i;
                        continue;
                }
                if (!entries[i].is_wanted && !entries[first].is_wanted)
                        continue;
                firsts[entries[i].order] = &entries[first];
                seconds[n++] = &entries[i];
        }
        qsort(seconds, n, sizeof(*seconds), compare_orders);

        for (size_t i = 0; i < n; i++) {
                if (seconds[i]->what == last)
                        continue;
                last = seconds[i]->what;
                report(identifiers->arena,
                       firsts[seconds[i]->order],
                       seconds[i],
                       options,
                       diagnostics);
        }
}

void check_identifiers(struct pipit_arena *arena,
                       const struct model_file *files,
                       const bool *is_wanted,
                       size_t n_files,
                       const struct gen_options *options,
                       struct diagnostics *diagnostics)
{
        struct identifiers counted = {.arena = arena};
        struct identifiers identifiers = {.arena = arena};

        add_all(&counted, files, is_wanted, n_files);
        identifiers.entries = gen_alloc_array(arena, counted.n, sizeof(*identifiers.entries));
        add_all(&identifiers, files, is_wanted, n_files);
        qsort(identifiers.entries,
              identifiers.n,
              sizeof(*identifiers.entries),
              compare_identifiers);
        report_all(&identifiers, options, diagnostics);
}
