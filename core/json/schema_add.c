#include <string.h>

#include "core/json/schema_private.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"

const struct pipit_wire_limits pipit_schema_limits = {
        .decoded_bytes_max = (size_t)256 * 1024 * 1024,
        .nesting_max = 32,
        .unknown_fields_max = 65536,
};

static enum pipit_status end_batch(struct schema_batch *batch, enum pipit_status status)
{
        if (status == PIPIT_OK)
                status = schema_link(batch);

        if (status != PIPIT_OK)
                schema_truncate(batch->schema, batch->n_before);

        return status;
}

/* NULL: the batch has the error. */
static const Google__Protobuf__FileDescriptorProto *unpack_file(struct schema_batch *batch,
                                                                const struct pipit_file *file)
{
        const ProtobufCMessageDescriptor *descriptor =
                &google__protobuf__file_descriptor_proto__descriptor;
        struct pipit_wire_report report;

        if (!pipit_wire_check(
                    descriptor, file->bytes, file->n_bytes, &pipit_schema_limits, &report)) {
                (void)schema_invalid(batch,
                                     "%s%sthis is not a FileDescriptorProto: %s at byte %zu",
                                     file->name ? file->name : "",
                                     file->name ? ": " : "",
                                     report.problem,
                                     report.offset);
                return NULL;
        }

        ProtobufCMessage *message =
                pipit_message_unpack(descriptor, &batch->schema->arena, file->bytes, file->n_bytes);

        if (!message)
                (void)schema_out_of_memory(batch);
        return (const Google__Protobuf__FileDescriptorProto *)message;
}

/* @file lives as the schema does. */
static enum pipit_status insert_file(struct schema_batch *batch, struct pipit_file *file)
{
        return schema_insert(
                batch,
                &(struct schema_entry){.name = file->name, .kind = SCHEMA_FILE, .file = file});
}

static enum pipit_status add_file(struct schema_batch *batch, const struct pipit_file *file)
{
        const Google__Protobuf__FileDescriptorProto *proto;
        struct pipit_file *copy;
        enum pipit_status status;

        if (schema_find(batch->schema, SCHEMA_FILE, file->name))
                return PIPIT_OK;

        copy = pipit_arena_memdup(&batch->schema->arena, file, sizeof(*file));
        if (!copy)
                return schema_out_of_memory(batch);

        /* Before its dependencies, so that a circle of them ends here. */
        status = insert_file(batch, copy);
        for (size_t i = 0; i < file->n_dependencies && status == PIPIT_OK; i++)
                status = add_file(batch, file->dependencies[i]);
        if (status != PIPIT_OK)
                return status;

        proto = unpack_file(batch, file);
        return proto ? schema_register_file(batch, copy, proto) : batch->error->status;
}

enum pipit_status pipit_schema_add_file(struct pipit_schema *schema,
                                        const struct pipit_file *file,
                                        struct pipit_error *ret_error)
{
        struct schema_batch batch = {schema, ret_error, schema->n_entries, NULL};

        return end_batch(&batch, add_file(&batch, file));
}

/* Files that only options need may be missing from a set. */
static bool find_dependencies(struct schema_batch *batch,
                              const Google__Protobuf__FileDescriptorProto *proto,
                              struct pipit_file *file)
{
        const struct pipit_file **dependencies = pipit_arena_alloc(
                &batch->schema->arena, proto->n_dependency * sizeof(*dependencies));
        size_t n = 0;

        if (!dependencies)
                return false;

        for (size_t i = 0; i < proto->n_dependency; i++) {
                const struct schema_entry *entry =
                        schema_find(batch->schema, SCHEMA_FILE, proto->dependency[i]);

                if (entry)
                        dependencies[n++] = entry->file;
        }

        file->dependencies = dependencies;
        file->n_dependencies = n;
        return true;
}

static enum pipit_status add_set_file(struct schema_batch *batch, const struct pipit_file *file)
{
        const Google__Protobuf__FileDescriptorProto *proto = unpack_file(batch, file);
        enum pipit_status status;

        if (!proto)
                return batch->error->status;
        if (!proto->name || proto->name[0] == '\0')
                return schema_invalid(batch, "a file without a name");
        if (schema_find(batch->schema, SCHEMA_FILE, proto->name))
                return PIPIT_OK;

        struct pipit_file *copy = pipit_arena_memdup(&batch->schema->arena, file, sizeof(*file));

        if (!copy || !find_dependencies(batch, proto, copy))
                return schema_out_of_memory(batch);

        copy->name = proto->name;
        status = insert_file(batch, copy);
        return status == PIPIT_OK ? schema_register_file(batch, copy, proto) : status;
}

/* A varint that pipit_wire_check() has passed. */
static uint64_t take_varint(const uint8_t *bytes, size_t n_bytes, size_t *at)
{
        uint64_t value = 0;

        for (unsigned shift = 0; *at < n_bytes && shift < 64; shift += 7) {
                uint8_t byte = bytes[(*at)++];

                value |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80)
                        break;
        }

        return value;
}

/* Past the field at *at; true if it is a file of the set. */
static bool take_file(const uint8_t *bytes, size_t n_bytes, size_t *at, struct pipit_file *ret_file)
{
        uint64_t tag = take_varint(bytes, n_bytes, at), n_content = 0;

        switch (tag & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
                (void)take_varint(bytes, n_bytes, at);
                break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
                n_content = 8;
                break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
                n_content = take_varint(bytes, n_bytes, at);
                break;
        default:
                n_content = 4;
                break;
        }

        if (n_content > n_bytes - *at)
                n_content = n_bytes - *at;
        *ret_file = (struct pipit_file){.bytes = bytes + *at, .n_bytes = (size_t)n_content};
        *at += (size_t)n_content;
        return tag >> 3 == 1;
}

/*
 * The files of a set as bytes: a service keeps its own, which reflection hands
 * on. FileDescriptorSet has this one field; any other is passed over.
 */
static enum pipit_status add_set(struct schema_batch *batch, const uint8_t *bytes, size_t n_bytes)
{
        const ProtobufCMessageDescriptor *descriptor =
                &google__protobuf__file_descriptor_set__descriptor;
        struct pipit_wire_report report;
        size_t at = 0, n_files = 0;

        if (!pipit_wire_check(descriptor, bytes, n_bytes, &pipit_schema_limits, &report))
                return schema_invalid(batch,
                                      "this is not a FileDescriptorSet: %s at byte %zu; protoc "
                                      "--include_imports --descriptor_set_out=FILE writes one",
                                      report.problem,
                                      report.offset);

        while (at < n_bytes) {
                struct pipit_file file;

                if (!take_file(bytes, n_bytes, &at, &file))
                        continue;

                enum pipit_status status = add_set_file(batch, &file);

                if (status != PIPIT_OK)
                        return status;
                n_files++;
        }

        return n_files > 0 ? PIPIT_OK : schema_invalid(batch, "this set of files is empty");
}

enum pipit_status pipit_schema_add_set(struct pipit_schema *schema,
                                       const uint8_t *bytes,
                                       size_t n_bytes,
                                       struct pipit_error *ret_error)
{
        struct schema_batch batch = {schema, ret_error, schema->n_entries, NULL};
        uint8_t *copy = pipit_arena_memdup(&schema->arena, bytes, n_bytes);

        if (!copy)
                return schema_out_of_memory(&batch);

        return end_batch(&batch, add_set(&batch, copy, n_bytes));
}
