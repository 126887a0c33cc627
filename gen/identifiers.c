#include "gen/identifiers.h"

#include <stdlib.h>
#include <string.h>

#include "gen/memory.h"
#include "gen/names.h"

struct identifier {
        const char *name;
        const struct model_file *file;
        bool is_wanted;
        struct source_path path;
        const char *what;   /* "Service.Method", "Service", "users.v1.User", "the file" */
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

/* @suffixes end with NULL. */
static void add_suffixed(struct identifiers *identifiers,
                         struct identifier identifier,
                         const char *name,
                         const char *const *suffixes)
{
        for (; *suffixes; suffixes++) {
                identifier.name = gen_printf(identifiers->arena, "%s%s", name, *suffixes);
                add(identifiers, identifier);
        }
}

static void add_method(struct identifiers *identifiers,
                       const struct model_service *service,
                       const struct model_method *method,
                       struct identifier identifier)
{
        static const char *const suffixes[] = {"", "_start", "_response", "_reply", NULL};

        identifier.path = source_path_field(method->path, SOURCE_NAME);
        identifier.what = gen_printf(
                identifiers->arena, "%s.%s", service->descriptor->name, method->descriptor->name);
        identifier.method = method->function;
        add_suffixed(identifiers, identifier, method->function, suffixes);
        identifier.name = method->dispatch;
        add(identifiers, identifier);
}

static void add_service(struct identifiers *identifiers,
                        const struct model_service *service,
                        struct identifier identifier)
{
        static const char *const suffixes[] = {
                "_descriptor", "_register", "_methods", "_dispatch", NULL};

        identifier.path = source_path_field(service->path, SOURCE_NAME);
        identifier.what = service->descriptor->name;
        add_suffixed(identifiers, identifier, service->name, suffixes);
        /* tags have a space of their own in C; the space in the name keeps it apart here */
        identifier.name = gen_printf(identifiers->arena, "struct %s", service->name);
        add(identifiers, identifier);

        for (size_t i = 0; i < service->n_methods; i++)
                add_method(identifiers, service, &service->methods[i], identifier);
}

/* --- what protoc-c writes -------------------------------------------------------- */

static void add_enum(struct identifiers *identifiers,
                     const struct types_enum *enumeration,
                     struct identifier identifier)
{
        struct pipit_arena *arena = identifiers->arena;
        const char *prefix = names_message_upper(arena, enumeration->full_name);

        identifier.path = source_path_field(enumeration->path, SOURCE_NAME);
        identifier.what = enumeration->full_name;
        identifier.name = names_message_type(arena, enumeration->full_name);
        add(identifiers, identifier);
        identifier.name = names_message_descriptor(arena, enumeration->full_name);
        add(identifiers, identifier);

        for (size_t i = 0; i < enumeration->descriptor->n_value; i++) {
                const char *value = enumeration->descriptor->value[i]->name;
                struct source_path path = source_path_at(enumeration->path, SOURCE_ENUM_VALUE, i);

                identifier.path = source_path_field(path, SOURCE_NAME);
                identifier.what = gen_printf(arena, "%s.%s", enumeration->full_name, value);
                identifier.name = gen_printf(arena, "%s__%s", prefix, value);
                add(identifiers, identifier);
        }
}

/* Members have a space of their own in each struct; the dot in the name keeps them apart here. */
static void add_member(struct identifiers *identifiers,
                       const char *type,
                       const char *prefix,
                       const char *member,
                       struct identifier identifier)
{
        identifier.name = gen_printf(identifiers->arena, "%s.%s%s", type, prefix, member);
        add(identifiers, identifier);
}

static void add_field(struct identifiers *identifiers,
                      const struct types_message *message,
                      size_t index,
                      struct identifier identifier)
{
        struct pipit_arena *arena = identifiers->arena;
        const Google__Protobuf__FieldDescriptorProto *field = message->descriptor->field[index];
        const char *type = names_message_type(arena, message->full_name);
        const char *member = names_field(arena, field->name);
        struct source_path path = source_path_at(message->path, SOURCE_MESSAGE_FIELD, index);

        identifier.path = source_path_field(path, SOURCE_NAME);
        identifier.what = gen_printf(arena, "%s.%s", message->full_name, field->name);
        add_member(identifiers, type, "", member, identifier);
        if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED)
                add_member(identifiers, type, "n_", member, identifier);

        if (field->has_oneof_index) {
                const char *oneof = message->descriptor->oneof_decl[field->oneof_index]->name;

                identifier.name = gen_printf(
                        arena,
                        "%s__%s_%s",
                        names_message_upper(arena, message->full_name),
                        names_message_upper(arena, oneof),
                        names_message_upper(arena, names_field_for_protoc_c(arena, field->name)));
                add(identifiers, identifier);
        }
}

static void add_oneof(struct identifiers *identifiers,
                      const struct types_message *message,
                      size_t index,
                      struct identifier identifier)
{
        struct pipit_arena *arena = identifiers->arena;
        const char *name = message->descriptor->oneof_decl[index]->name;
        const char *full_name = gen_printf(arena, "%s.%s", message->full_name, name);
        struct source_path path = source_path_at(message->path, SOURCE_MESSAGE_ONEOF, index);

        identifier.path = source_path_field(path, SOURCE_NAME);
        identifier.what = full_name;
        add_member(identifiers,
                   names_message_type(arena, message->full_name),
                   names_message_lower(arena, name),
                   "_case",
                   identifier);
        identifier.name = gen_printf(arena, "%sCase", names_message_type(arena, full_name));
        add(identifiers, identifier);
        identifier.name = gen_printf(arena, "%s__NOT_SET", names_message_upper(arena, full_name));
        add(identifiers, identifier);
}

static void add_message(struct identifiers *identifiers,
                        const struct types_message *message,
                        struct identifier identifier)
{
        struct pipit_arena *arena = identifiers->arena;

        identifier.path = source_path_field(message->path, SOURCE_NAME);
        identifier.what = message->full_name;
        identifier.name = names_message_type(arena, message->full_name);
        add(identifiers, identifier);
        identifier.name = names_message_descriptor(arena, message->full_name);
        add(identifiers, identifier);
        identifier.name =
                gen_printf(arena, "%s__INIT", names_message_upper(arena, message->full_name));
        add(identifiers, identifier);

        for (size_t i = 0; i < message->descriptor->n_field; i++)
                add_field(identifiers, message, i, identifier);
        for (size_t i = 0; i < message->descriptor->n_oneof_decl; i++)
                add_oneof(identifiers, message, i, identifier);
}

static void add_types(struct identifiers *identifiers,
                      const struct types *types,
                      struct identifier identifier)
{
        for (size_t i = 0; i < types->n_enums; i++)
                add_enum(identifiers, &types->enums[i], identifier);
        for (size_t i = 0; i < types->n_messages; i++)
                add_message(identifiers, &types->messages[i], identifier);
}

/* --- all together ------------------------------------------------------------------ */

static void add_all(struct identifiers *identifiers,
                    const struct model_file *files,
                    const bool *is_wanted,
                    size_t n_files,
                    const struct gen_options *options)
{
        static const char *const suffixes[] = {"", "_bytes", "_dependencies", NULL};

        for (size_t i = 0; i < n_files; i++) {
                struct identifier identifier = {
                        .file = &files[i],
                        .is_wanted = is_wanted[i],
                        .what = gen_strdup(identifiers->arena, "the file"),
                };

                add_suffixed(identifiers, identifier, files[i].symbol, suffixes);
                for (size_t k = 0; k < files[i].n_services; k++)
                        add_service(identifiers, &files[i].services[k], identifier);
                if (!options->descriptors_only)
                        add_types(identifiers, &files[i].types, identifier);
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

void identifiers_check(struct pipit_arena *arena,
                       const struct model_file *files,
                       const bool *is_wanted,
                       size_t n_files,
                       const struct gen_options *options,
                       struct diagnostics *diagnostics)
{
        struct identifiers counted = {.arena = arena};
        struct identifiers identifiers = {.arena = arena};

        add_all(&counted, files, is_wanted, n_files, options);
        identifiers.entries = gen_alloc_array(arena, counted.n, sizeof(*identifiers.entries));
        add_all(&identifiers, files, is_wanted, n_files, options);
        qsort(identifiers.entries,
              identifiers.n,
              sizeof(*identifiers.entries),
              compare_identifiers);
        report_all(&identifiers, options, diagnostics);
}
