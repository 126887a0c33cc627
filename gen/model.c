#include "gen/model.h"

#include "gen/memory.h"
#include "gen/names.h"

struct context {
        struct pipit_arena *arena;
        const Google__Protobuf__FileDescriptorProto *file;
        const struct gen_options *options;
};

/* "users.v1.User" in package users.v1, "User" in none. */
static const char *qualify(const struct context *context, const char *separator, const char *name)
{
        const char *package = context->file->package;

        if (!package || !package[0])
                return name;
        if (separator[0] == '_')
                package = names_package(context->arena, package);

        return gen_printf(context->arena, "%s%s%s", package, separator, name);
}

static struct model_method make_method(const struct context *context,
                                       const struct model_service *service,
                                       size_t index)
{
        const Google__Protobuf__MethodDescriptorProto *descriptor =
                service->descriptor->method[index];
        const Google__Protobuf__MethodOptions *options = descriptor->options;
        const char *snake = names_snake(context->arena, descriptor->name);
        /* without a package nothing else keeps open() or read() from being the C library's */
        bool is_long = context->options->long_names || !context->file->package ||
                       !context->file->package[0];
        struct model_method method = {
                .descriptor = descriptor,
                .path = source_path_at(service->path, SOURCE_SERVICE_METHOD, index),
                .member = names_member(context->arena, snake),
                .request_type = names_message_type(context->arena, descriptor->input_type),
                .request_descriptor =
                        names_message_descriptor(context->arena, descriptor->input_type),
                .response_type = names_message_type(context->arena, descriptor->output_type),
                .response_descriptor =
                        names_message_descriptor(context->arena, descriptor->output_type),
                .deprecated = service->deprecated || (options && options->deprecated),
                .no_side_effects =
                        options &&
                        options->idempotency_level ==
                                GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS,
        };

        method.wire_name =
                gen_printf(context->arena, "%s/%s", service->wire_name, descriptor->name);
        method.dispatch = gen_printf(context->arena, "%s_%s_dispatch", service->name, snake);
        method.function = is_long ? gen_printf(context->arena, "%s_%s", service->name, snake)
                                  : qualify(context, "_", snake);
        method.function = names_tag(context->arena, method.function);
        method.comments = source_comments(context->file, method.path);

        return method;
}

static struct model_service make_service(const struct context *context, size_t index)
{
        const Google__Protobuf__ServiceDescriptorProto *descriptor = context->file->service[index];
        struct pipit_arena *arena = context->arena;
        struct model_service service = {
                .descriptor = descriptor,
                .path = source_path_at(
                        (struct source_path){.n_elements = 0}, SOURCE_FILE_SERVICE, index),
                .wire_name = qualify(context, ".", descriptor->name),
                .name = names_tag(arena,
                                  qualify(context, "_", names_snake(arena, descriptor->name))),
                .deprecated = descriptor->options && descriptor->options->deprecated,
                .n_methods = descriptor->n_method,
        };

        service.table = gen_printf(arena, "%s_descriptor", service.name);
        service.register_ = gen_printf(arena, "%s_register", service.name);
        service.comments = source_comments(context->file, service.path);
        service.methods = gen_alloc_array(arena, service.n_methods, sizeof(*service.methods));
        for (size_t i = 0; i < service.n_methods; i++)
                service.methods[i] = make_method(context, &service, i);

        return service;
}

struct model_file model_make(struct pipit_arena *arena,
                             const Google__Protobuf__FileDescriptorProto *descriptor,
                             const struct gen_options *options)
{
        struct context context = {.arena = arena, .file = descriptor, .options = options};
        struct source_path syntax = {.elements = {SOURCE_FILE_SYNTAX}, .n_elements = 1};
        struct model_file file = {
                .descriptor = descriptor,
                .name = descriptor->name,
                .stem = names_stem(arena, descriptor->name),
                .symbol = names_file_symbol(arena, descriptor->name),
                .guard = names_guard(arena, descriptor->name),
                .comments = source_comments(descriptor, syntax),
                .types = types_make(arena, descriptor),
                .n_services = options->descriptors_only ? 0 : descriptor->n_service,
        };

        file.services = gen_alloc_array(arena, file.n_services, sizeof(*file.services));
        for (size_t i = 0; i < file.n_services; i++)
                file.services[i] = make_service(&context, i);

        return file;
}
