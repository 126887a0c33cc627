#include "gen/types.h"

#include "gen/memory.h"

static void count_nested(struct types *types, const Google__Protobuf__DescriptorProto *message)
{
        types->n_messages++;
        types->n_enums += message->n_enum_type;
        for (size_t i = 0; i < message->n_nested_type; i++)
                count_nested(types, message->nested_type[i]);
}

static struct types count(const Google__Protobuf__FileDescriptorProto *file)
{
        struct types counted = {.n_enums = file->n_enum_type};

        for (size_t i = 0; i < file->n_message_type; i++)
                count_nested(&counted, file->message_type[i]);

        return counted;
}

static const char *qualify(struct pipit_arena *arena, const char *scope, const char *name)
{
        return scope && scope[0] ? gen_printf(arena, "%s.%s", scope, name) : name;
}

static void add_enum(struct pipit_arena *arena,
                     struct types *types,
                     const Google__Protobuf__EnumDescriptorProto *descriptor,
                     const char *scope,
                     struct source_path path)
{
        types->enums[types->n_enums++] = (struct types_enum){
                .descriptor = descriptor,
                .full_name = qualify(arena, scope, descriptor->name),
                .path = path,
        };
}

static void add_message(struct pipit_arena *arena,
                        struct types *types,
                        const Google__Protobuf__DescriptorProto *descriptor,
                        const char *scope,
                        struct source_path path)
{
        const char *full_name = qualify(arena, scope, descriptor->name);

        types->messages[types->n_messages++] = (struct types_message){
                .descriptor = descriptor,
                .full_name = full_name,
                .path = path,
        };
        for (size_t i = 0; i < descriptor->n_enum_type; i++)
                add_enum(arena,
                         types,
                         descriptor->enum_type[i],
                         full_name,
                         source_path_at(path, SOURCE_MESSAGE_ENUM, i));
        for (size_t i = 0; i < descriptor->n_nested_type; i++)
                add_message(arena,
                            types,
                            descriptor->nested_type[i],
                            full_name,
                            source_path_at(path, SOURCE_MESSAGE_NESTED, i));
}

struct types types_make(struct pipit_arena *arena,
                        const Google__Protobuf__FileDescriptorProto *file)
{
        const struct source_path root = {.n_elements = 0};
        struct types counted = count(file);
        struct types types = {
                .messages = gen_alloc_array(arena, counted.n_messages, sizeof(*types.messages)),
                .enums = gen_alloc_array(arena, counted.n_enums, sizeof(*types.enums)),
        };

        for (size_t i = 0; i < file->n_enum_type; i++)
                add_enum(arena,
                         &types,
                         file->enum_type[i],
                         file->package,
                         source_path_at(root, SOURCE_FILE_ENUM, i));
        for (size_t i = 0; i < file->n_message_type; i++)
                add_message(arena,
                            &types,
                            file->message_type[i],
                            file->package,
                            source_path_at(root, SOURCE_FILE_MESSAGE, i));

        return types;
}
