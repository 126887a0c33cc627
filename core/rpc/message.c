#include "core/rpc/message.h"

#include <string.h>

#include "core/base/macros.h"
#include "core/base/utf8.h"

static void *allocator_alloc(void *context, size_t n_bytes)
{
        return pipit_arena_alloc(context, n_bytes);
}

static void allocator_free(void *context, void *pointer)
{
        (void)context;
        (void)pointer;
}

ProtobufCAllocator pipit_message_allocator(struct pipit_arena *arena)
{
        return (ProtobufCAllocator){
                .alloc = allocator_alloc,
                .free = allocator_free,
                .allocator_data = arena,
        };
}

ProtobufCMessage *pipit_message_unpack(const ProtobufCMessageDescriptor *descriptor,
                                       struct pipit_arena *arena,
                                       const uint8_t *bytes,
                                       size_t n_bytes)
{
        ProtobufCAllocator allocator = pipit_message_allocator(arena);

        return protobuf_c_message_unpack(descriptor, &allocator, n_bytes, bytes);
}

/* protobuf-c describes a struct by offsets; the copies keep the reads free of aliasing. */
static const void *pointer_at(const void *base, size_t offset)
{
        const void *pointer;

        memcpy(&pointer, (const char *)base + offset, sizeof(pointer));

        return pointer;
}

static size_t size_at(const void *base, size_t offset)
{
        size_t size;

        memcpy(&size, (const char *)base + offset, sizeof(size));

        return size;
}

static bool oneof_holds(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
        uint32_t number;

        memcpy(&number, (const char *)message + field->quantifier_offset, sizeof(number));

        return number == field->id;
}

static const ProtobufCFieldDescriptor *bad_value(const ProtobufCFieldDescriptor *field,
                                                 const void *value)
{
        if (!value)
                return NULL;

        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
                return pipit_message_bad_string(value);

        return pipit_utf8_check(value, strlen(value), NULL) ? NULL : field;
}

static const ProtobufCFieldDescriptor *bad_field(const ProtobufCMessage *message,
                                                 const ProtobufCFieldDescriptor *field)
{
        const ProtobufCFieldDescriptor *bad = NULL;
        const void *value;

        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
                return NULL;
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && !oneof_holds(message, field))
                return NULL;

        value = pointer_at(message, field->offset);
        if (field->label != PROTOBUF_C_LABEL_REPEATED)
                return bad_value(field, value);

        for (size_t i = 0, n = size_at(message, field->quantifier_offset); i < n && !bad; i++)
                bad = bad_value(field, pointer_at(value, i * sizeof(void *)));

        return bad;
}

const ProtobufCFieldDescriptor *pipit_message_bad_string(const ProtobufCMessage *message)
{
        const ProtobufCMessageDescriptor *descriptor = message->descriptor;
        const ProtobufCFieldDescriptor *bad = NULL;

        for (unsigned int i = 0; i < descriptor->n_fields && !bad; i++)
                bad = bad_field(message, &descriptor->fields[i]);

        return bad;
}
