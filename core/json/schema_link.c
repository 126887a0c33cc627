#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ascii.h"
#include "core/json/schema_private.h"

bool schema_is_proto3(const Google__Protobuf__FileDescriptorProto *file)
{
        return file->syntax && strcmp(file->syntax, "proto3") == 0;
}

/* --- names ------------------------------------------------------------------- */

/* NULL: the batch has the error. */
static char *full_name(struct schema_batch *batch, const char *scope, const char *name)
{
        char *full;

        if (!name || name[0] == '\0') {
                (void)schema_invalid(batch, "something in %s has no name", scope ? scope : "it");
                return NULL;
        }

        full = schema_join(batch->schema, scope, name);
        if (!full)
                (void)schema_out_of_memory(batch);
        return full;
}

static enum pipit_status register_enum(struct schema_batch *batch,
                                       const char *scope,
                                       const Google__Protobuf__EnumDescriptorProto *proto)
{
        ProtobufCEnumDescriptor *enumeration =
                pipit_arena_zalloc(&batch->schema->arena, sizeof(*enumeration));
        enum pipit_status status;
        char *name;

        if (!enumeration)
                return schema_out_of_memory(batch);

        name = full_name(batch, scope, proto->name);
        if (!name)
                return batch->error->status;

        enumeration->magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC;
        enumeration->name = name;
        enumeration->short_name = proto->name;
        enumeration->c_name = name;
        enumeration->package_name = batch->file->package ? batch->file->package : "";

        status = schema_build_enum(batch, proto, enumeration);
        if (status != PIPIT_OK)
                return status;

        return schema_insert(batch,
                             &(struct schema_entry){.name = name,
                                                    .kind = SCHEMA_ENUM,
                                                    .enumeration = enumeration,
                                                    .first_number = proto->value[0]->number});
}

/* Recursion is bounded: the bytes were checked to nest no deeper than the limit. */
static enum pipit_status register_message(struct schema_batch *batch,
                                          const char *scope,
                                          const Google__Protobuf__DescriptorProto *proto)
{
        struct schema_message *message =
                pipit_arena_zalloc(&batch->schema->arena, sizeof(*message));
        enum pipit_status status;
        char *name;

        if (!message)
                return schema_out_of_memory(batch);

        name = full_name(batch, scope, proto->name);
        if (!name)
                return batch->error->status;

        message->proto = proto;
        message->file = batch->file;
        message->descriptor.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC;
        message->descriptor.name = name;
        message->descriptor.short_name = proto->name;
        message->descriptor.c_name = name;
        message->descriptor.package_name = batch->file->package ? batch->file->package : "";

        status = schema_insert(
                batch,
                &(struct schema_entry){.name = name, .kind = SCHEMA_MESSAGE, .message = message});
        for (size_t i = 0; i < proto->n_nested_type && status == PIPIT_OK; i++)
                status = register_message(batch, name, proto->nested_type[i]);
        for (size_t i = 0; i < proto->n_enum_type && status == PIPIT_OK; i++)
                status = register_enum(batch, name, proto->enum_type[i]);
        return status;
}

static enum pipit_status register_service(struct schema_batch *batch,
                                          const struct pipit_file *source,
                                          const Google__Protobuf__ServiceDescriptorProto *proto)
{
        struct schema_service *service =
                pipit_arena_zalloc(&batch->schema->arena, sizeof(*service));
        char *name;

        if (!service)
                return schema_out_of_memory(batch);

        name = full_name(batch, batch->file->package, proto->name);
        if (!name)
                return batch->error->status;

        service->proto = proto;
        service->file = batch->file;
        service->service.name = name;
        service->service.file = source;
        return schema_insert(
                batch,
                &(struct schema_entry){.name = name, .kind = SCHEMA_SERVICE, .service = service});
}

enum pipit_status schema_register_file(struct schema_batch *batch,
                                       const struct pipit_file *source,
                                       const Google__Protobuf__FileDescriptorProto *file)
{
        enum pipit_status status = PIPIT_OK;

        batch->file = file;
        if (file->syntax && !schema_is_proto3(file) && strcmp(file->syntax, "proto2") != 0)
                return schema_invalid(batch,
                                      "syntax \"%s\" is not supported (proto2 and proto3 are)",
                                      file->syntax);

        for (size_t i = 0; i < file->n_message_type && status == PIPIT_OK; i++)
                status = register_message(batch, file->package, file->message_type[i]);
        for (size_t i = 0; i < file->n_enum_type && status == PIPIT_OK; i++)
                status = register_enum(batch, file->package, file->enum_type[i]);
        for (size_t i = 0; i < file->n_service && status == PIPIT_OK; i++)
                status = register_service(batch, source, file->service[i]);

        batch->file = NULL;
        return status;
}

/* --- enums --------------------------------------------------------------------- */

static int compare_ints(const void *a, const void *b)
{
        const int *left = a, *right = b;

        return (*left > *right) - (*left < *right);
}

static int compare_value_names(const void *a, const void *b)
{
        const ProtobufCEnumValueIndex *left = a, *right = b;

        return strcmp(left->name, right->name);
}

static unsigned index_of_number(const int *numbers, unsigned n_numbers, int number)
{
        const int *found = bsearch(&number, numbers, n_numbers, sizeof(int), compare_ints);

        return (unsigned)(found - numbers);
}

/* The numbers of @proto, ascending, each once. NULL: out of memory. */
static int *sorted_numbers(struct schema_batch *batch,
                           const Google__Protobuf__EnumDescriptorProto *proto,
                           unsigned *ret_n_numbers)
{
        int *numbers = pipit_arena_alloc(&batch->schema->arena, (proto->n_value + 1) * sizeof(int));
        unsigned n = 0;

        if (!numbers)
                return NULL;

        for (size_t i = 0; i < proto->n_value; i++)
                numbers[i] = proto->value[i]->number;
        qsort(numbers, proto->n_value, sizeof(int), compare_ints);

        for (size_t i = 0; i < proto->n_value; i++) {
                if (n == 0 || numbers[n - 1] != numbers[i])
                        numbers[n++] = numbers[i];
        }

        *ret_n_numbers = n;
        return numbers;
}

enum pipit_status schema_build_enum(struct schema_batch *batch,
                                    const Google__Protobuf__EnumDescriptorProto *proto,
                                    ProtobufCEnumDescriptor *enumeration)
{
        struct pipit_arena *arena = &batch->schema->arena;
        unsigned n_numbers = 0;
        int *numbers;

        if (proto->n_value == 0 || proto->n_value > INT_MAX)
                return schema_invalid(batch, "%s has no values", enumeration->name);

        numbers = sorted_numbers(batch, proto, &n_numbers);

        ProtobufCEnumValue *values = pipit_arena_zalloc(arena, proto->n_value * sizeof(*values));
        ProtobufCEnumValueIndex *names = pipit_arena_alloc(arena, proto->n_value * sizeof(*names));

        if (!numbers || !values || !names)
                return schema_out_of_memory(batch);

        for (unsigned i = 0; i < proto->n_value; i++) {
                const Google__Protobuf__EnumValueDescriptorProto *value = proto->value[i];
                unsigned index = index_of_number(numbers, n_numbers, value->number);

                if (!value->name)
                        return schema_invalid(
                                batch, "a value of %s has no name", enumeration->name);
                names[i] = (ProtobufCEnumValueIndex){value->name, index};
                if (!values[index].name)
                        values[index] =
                                (ProtobufCEnumValue){value->name, value->name, value->number};
        }
        qsort(names, proto->n_value, sizeof(*names), compare_value_names);

        enumeration->n_values = n_numbers;
        enumeration->values = values;
        enumeration->n_value_names = (unsigned)proto->n_value;
        enumeration->values_by_name = names;
        return schema_ranges(batch,
                             numbers,
                             n_numbers,
                             &enumeration->value_ranges,
                             &enumeration->n_value_ranges);
}

enum pipit_status schema_ranges(struct schema_batch *batch,
                                const int *numbers,
                                unsigned n_numbers,
                                const ProtobufCIntRange **ret_ranges,
                                unsigned *ret_n_ranges)
{
        ProtobufCIntRange *ranges =
                pipit_arena_alloc(&batch->schema->arena, (n_numbers + 1) * sizeof(*ranges));
        unsigned n = 0;

        if (!ranges)
                return schema_out_of_memory(batch);

        for (unsigned i = 0; i < n_numbers; i++) {
                if (i == 0 || numbers[i] - 1 != numbers[i - 1])
                        ranges[n++] = (ProtobufCIntRange){numbers[i], i};
        }
        ranges[n] = (ProtobufCIntRange){0, n_numbers};

        *ret_ranges = ranges;
        *ret_n_ranges = n;
        return PIPIT_OK;
}

/* --- services -------------------------------------------------------------------- */

static enum pipit_status resolve_message(struct schema_batch *batch,
                                         const char *method,
                                         const char *type_name,
                                         const ProtobufCMessageDescriptor **ret_descriptor)
{
        if (!type_name || type_name[0] != '.')
                return schema_invalid(batch, "%s has a type without a full name", method);

        *ret_descriptor = pipit_schema_message(batch->schema, type_name + 1);
        if (!*ret_descriptor)
                return schema_invalid(batch,
                                      "%s: there is no message %s; was the set made with "
                                      "--include_imports?",
                                      method,
                                      type_name + 1);

        return PIPIT_OK;
}

/* "users.v1" and "GetUser" -> "users_v1_get_user", the name that protoc-gen-pipit gives it in C. */
static char *c_name(struct pipit_arena *arena, const char *package, const char *method)
{
        size_t n_package = package ? strlen(package) : 0, n_method = strlen(method);
        char *name = pipit_arena_alloc(arena, n_package + 2 * n_method + 2);
        char *output = name;

        if (!name)
                return NULL;

        for (size_t i = 0; i < n_package; i++) {
                if (package[i] == '.')
                        *output++ = '_';
                else
                        *output++ = package[i];
        }
        if (n_package > 0)
                *output++ = '_';

        for (size_t i = 0; i < n_method; i++) {
                unsigned char c = (unsigned char)method[i];

                if (isupper(c) && i > 0 &&
                    (!isupper((unsigned char)method[i - 1]) ||
                     islower((unsigned char)method[i + 1])))
                        *output++ = '_';
                *output++ = pipit_ascii_lower(method[i]);
        }

        *output = '\0';
        return name;
}

static enum pipit_status link_method(struct schema_batch *batch,
                                     const struct schema_service *service,
                                     const Google__Protobuf__MethodDescriptorProto *proto,
                                     struct pipit_method *method)
{
        struct pipit_arena *arena = &batch->schema->arena;
        enum pipit_status status;
        char *dotted;

        dotted = full_name(batch, service->service.name, proto->name);
        if (!dotted)
                return batch->error->status;
        if (!proto->input_type || !proto->output_type)
                return schema_invalid(batch, "%s has a method without its types", dotted);
        if (proto->client_streaming || proto->server_streaming)
                return PIPIT_OK;

        method->name = pipit_arena_printf(arena, "%s/%s", service->service.name, proto->name);
        method->full_name = c_name(arena, service->file->package, proto->name);
        if (!method->name || !method->full_name)
                return schema_out_of_memory(batch);

        method->no_side_effects =
                proto->options &&
                proto->options->idempotency_level ==
                        GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS;
        status = resolve_message(batch, dotted, proto->input_type, &method->request);
        if (status == PIPIT_OK)
                status = resolve_message(batch, dotted, proto->output_type, &method->response);
        if (status != PIPIT_OK)
                return status;

        return schema_insert(
                batch,
                &(struct schema_entry){.name = dotted, .kind = SCHEMA_METHOD, .method = method});
}

/* Streams are passed over: there are none on the wire yet, and the other methods work. */
static enum pipit_status link_service(struct schema_batch *batch, struct schema_service *service)
{
        size_t n_methods = service->proto->n_method, n = 0;
        struct pipit_method *methods =
                pipit_arena_zalloc(&batch->schema->arena, n_methods * sizeof(*methods));

        if (!methods)
                return schema_out_of_memory(batch);

        batch->file = service->file;
        for (size_t i = 0; i < n_methods; i++) {
                enum pipit_status status =
                        link_method(batch, service, service->proto->method[i], &methods[n]);

                if (status != PIPIT_OK)
                        return status;
                n += methods[n].name ? 1 : 0;
        }

        service->service.methods = methods;
        service->service.n_methods = n;
        return PIPIT_OK;
}

enum pipit_status schema_link(struct schema_batch *batch)
{
        size_t n_entries = batch->schema->n_entries;
        enum pipit_status status = PIPIT_OK;

        for (size_t i = batch->n_before; i < n_entries && status == PIPIT_OK; i++) {
                const struct schema_entry *entry = &batch->schema->entries[i];

                if (entry->kind == SCHEMA_MESSAGE) {
                        batch->file = entry->message->file;
                        status = schema_layout_message(batch, entry->message);
                } else if (entry->kind == SCHEMA_SERVICE) {
                        status = link_service(batch, entry->service);
                }
        }

        return status;
}
