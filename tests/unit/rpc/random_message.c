#include "tests/unit/rpc/random_message.h"

#include <stdbool.h>
#include <string.h>

uint64_t random_next(struct random_source *source)
{
        uint64_t x = source->state += UINT64_C(0x9e3779b97f4a7c15);

        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);

        return x ^ (x >> 31);
}

size_t random_below(struct random_source *source, size_t bound)
{
        return (size_t)(random_next(source) % bound);
}

/* Small numbers as often as large ones: they are packed differently. */
static uint64_t random_number(struct random_source *source)
{
        return random_next(source) >> random_below(source, 64);
}

static size_t random_length(struct random_source *source)
{
        return random_below(source, 20) == 0 ? random_below(source, 300) : random_below(source, 12);
}

static char *random_string(struct random_source *source, struct pipit_arena *arena)
{
        static const char *const letters[] = {"a", "Z", " ", "\"", "\x7f", "é", "€", "𝄞", "\t"};
        size_t n_letters = random_length(source);
        char *string = pipit_arena_alloc(arena, n_letters * 4 + 1);
        char *to = string;

        for (size_t i = 0; i < n_letters; i++) {
                const char *letter =
                        letters[random_below(source, sizeof(letters) / sizeof(letters[0]))];

                to = stpcpy(to, letter);
        }
        *to = '\0';

        return string;
}

static ProtobufCBinaryData random_bytes(struct random_source *source, struct pipit_arena *arena)
{
        ProtobufCBinaryData data = {.len = random_length(source)};

        data.data = pipit_arena_alloc(arena, data.len);
        for (size_t i = 0; i < data.len; i++)
                data.data[i] = (uint8_t)random_next(source);

        return data;
}

/* Writes a value of @field's type to @to. Returns its size there. */
static size_t random_value(struct random_source *source,
                           struct pipit_arena *arena,
                           const ProtobufCFieldDescriptor *field,
                           unsigned int depth,
                           char *to)
{
        uint64_t number = random_number(source);
        protobuf_c_boolean flag = number & 1;
        ProtobufCBinaryData data;
        void *pointer;

        switch (field->type) {
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                memcpy(to, &number, 8);
                return 8;
        case PROTOBUF_C_TYPE_BOOL:
                memcpy(to, &flag, sizeof(flag));
                return sizeof(flag);
        case PROTOBUF_C_TYPE_STRING:
                pointer = random_string(source, arena);
                memcpy(to, &pointer, sizeof(pointer));
                return sizeof(pointer);
        case PROTOBUF_C_TYPE_BYTES:
                data = random_bytes(source, arena);
                memcpy(to, &data, sizeof(data));
                return sizeof(data);
        case PROTOBUF_C_TYPE_MESSAGE:
                pointer = random_message(source, arena, field->descriptor, depth - 1);
                memcpy(to, &pointer, sizeof(pointer));
                return sizeof(pointer);
        default:
                memcpy(to, &number, 4);
                return 4;
        }
}

static void random_list(struct random_source *source,
                        struct pipit_arena *arena,
                        const ProtobufCFieldDescriptor *field,
                        unsigned int depth,
                        char *message)
{
        size_t n =
                random_below(source, 16) == 0 ? random_below(source, 60) : random_below(source, 5);
        char *elements = pipit_arena_alloc(arena, n * sizeof(ProtobufCBinaryData));
        char *at = elements;

        for (size_t i = 0; i < n; i++)
                at += random_value(source, arena, field, depth, at);
        memcpy(message + field->quantifier_offset, &n, sizeof(n));
        memcpy(message + field->offset, &elements, sizeof(elements));
}

static void random_field(struct random_source *source,
                         struct pipit_arena *arena,
                         const ProtobufCFieldDescriptor *field,
                         unsigned int depth,
                         char *message)
{
        protobuf_c_boolean is_set = true;
        bool is_required = field->label == PROTOBUF_C_LABEL_REQUIRED;

        if (!is_required && random_below(source, 3) == 0)
                return;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && depth == 0 && !is_required)
                return;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                random_list(source, arena, field, depth, message);
                return;
        }

        (void)random_value(source, arena, field, depth, message + field->offset);
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
                memcpy(message + field->quantifier_offset, &field->id, sizeof(field->id));
        else if (field->quantifier_offset != 0)
                memcpy(message + field->quantifier_offset, &is_set, sizeof(is_set));
}

ProtobufCMessage *random_message(struct random_source *source,
                                 struct pipit_arena *arena,
                                 const ProtobufCMessageDescriptor *descriptor,
                                 unsigned int depth)
{
        ProtobufCMessage *message = pipit_arena_alloc(arena, descriptor->sizeof_message);

        descriptor->message_init(message);
        for (unsigned int i = 0; i < descriptor->n_fields; i++)
                random_field(source, arena, &descriptor->fields[i], depth, (char *)message);

        return message;
}

static size_t take_out(struct random_source *source, uint8_t *bytes, size_t n_bytes)
{
        size_t from = random_below(source, n_bytes);
        size_t n = 1 + random_below(source, n_bytes - from);

        memmove(bytes + from, bytes + from + n, n_bytes - from - n);

        return n_bytes - n;
}

static size_t copy_piece(struct random_source *source,
                         uint8_t *bytes,
                         size_t n_bytes,
                         size_t n_bytes_max)
{
        size_t from = random_below(source, n_bytes);
        size_t n = 1 + random_below(source, n_bytes - from);
        size_t to = random_below(source, n_bytes);

        if (n > n_bytes_max - n_bytes)
                n = n_bytes_max - n_bytes;
        memmove(bytes + to + n, bytes + to, n_bytes - to);
        memmove(bytes + to, bytes + (from < to ? from : from + n), n);

        return n_bytes + n;
}

size_t random_damage(struct random_source *source,
                     uint8_t *bytes,
                     size_t n_bytes,
                     size_t n_bytes_max)
{
        for (size_t n = 1 + random_below(source, 3); n > 0 && n_bytes > 0; n--) {
                switch (random_below(source, 5)) {
                case 0:
                        bytes[random_below(source, n_bytes)] ^=
                                (uint8_t)(1u << random_below(source, 8));
                        break;
                case 1:
                        bytes[random_below(source, n_bytes)] = (uint8_t)random_next(source);
                        break;
                case 2:
                        n_bytes = take_out(source, bytes, n_bytes);
                        break;
                case 3:
                        n_bytes = random_below(source, n_bytes);
                        break;
                default:
                        n_bytes = copy_piece(source, bytes, n_bytes, n_bytes_max);
                        break;
                }
        }

        return n_bytes;
}
