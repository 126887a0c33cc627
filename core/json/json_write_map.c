#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json/field.h"
#include "core/json/output.h"

static const char *string_at(const void *slot)
{
        const char *string = *(const char *const *)slot;

        return string ? string : "";
}

static void write_map_key(struct json_output *output,
                          const ProtobufCFieldDescriptor *field,
                          const void *slot)
{
        char text[24];

        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
                pipit_json_writer_key(&output->writer, string_at(slot));
                return;
        case PROTOBUF_C_TYPE_BOOL:
                (void)snprintf(text,
                               sizeof(text),
                               "%s",
                               *(const protobuf_c_boolean *)slot ? "true" : "false");
                break;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                (void)snprintf(text, sizeof(text), "%" PRIu32, *(const uint32_t *)slot);
                break;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                (void)snprintf(text, sizeof(text), "%" PRIu64, *(const uint64_t *)slot);
                break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
                (void)snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)slot);
                break;
        default:
                (void)snprintf(text, sizeof(text), "%" PRId32, *(const int32_t *)slot);
                break;
        }

        pipit_json_writer_key(&output->writer, text);
}

static int order_keys(const void *left, const void *right, const ProtobufCFieldDescriptor *key)
{
        if (key->type == PROTOBUF_C_TYPE_STRING)
                return strcmp(string_at(left), string_at(right));

        return memcmp(left, right, pipit_field_size(key->type));
}

static int compare_entries(const void *a, const void *b, void *field)
{
        const ProtobufCMessage *const *left = *(const ProtobufCMessage *const *const *)a,
                                      *const *right = *(const ProtobufCMessage *const *const *)b;
        const ProtobufCFieldDescriptor *key = field;
        int order = order_keys(
                pipit_field_const_member(*left, key), pipit_field_const_member(*right, key), key);

        return order != 0 ? order : (left > right) - (left < right);
}

/* A key may be on the wire more than once, and the last one counts. NULL: out of memory. */
static bool *find_shadowed(struct json_output *output,
                           const ProtobufCMessage *const *entries,
                           size_t n,
                           const ProtobufCFieldDescriptor *key)
{
        struct pipit_arena *arena = output->writer.arena;
        bool *shadowed = pipit_arena_zalloc(arena, n + 1);
        const ProtobufCMessage *const **sorted =
                pipit_arena_alloc(arena, (n + 1) * sizeof(*sorted));

        if (!shadowed || !sorted)
                return NULL;

        for (size_t i = 0; i < n; i++)
                sorted[i] = &entries[i];
        qsort_r(sorted, n, sizeof(*sorted), compare_entries, (void *)(uintptr_t)key);

        for (size_t i = 1; i < n; i++) {
                const void *before = pipit_field_const_member(*sorted[i - 1], key),
                           *here = pipit_field_const_member(*sorted[i], key);

                shadowed[sorted[i - 1] - entries] = order_keys(before, here, key) == 0;
        }

        return shadowed;
}

enum pipit_status json_write_map(struct json_output *output,
                                 const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field)
{
        const ProtobufCMessage *const *entries =
                *(const ProtobufCMessage *const *const *)pipit_field_const_member(message, field);
        const ProtobufCMessageDescriptor *descriptor = field->descriptor;
        const ProtobufCFieldDescriptor *key = &descriptor->fields[0],
                                       *value = &descriptor->fields[1];
        size_t n = pipit_field_const_count(message, field);

        bool *shadowed = find_shadowed(output, entries, n, key);

        if (!shadowed)
                return json_write_out_of_memory(output);

        pipit_json_writer_begin(&output->writer, '{');
        for (size_t i = 0; i < n; i++) {
                if (shadowed[i])
                        continue;
                write_map_key(output, key, pipit_field_const_member(entries[i], key));

                enum pipit_status status = json_write_single(
                        output, value, pipit_field_const_member(entries[i], value));

                if (status != PIPIT_OK)
                        return status;
        }
        pipit_json_writer_end(&output->writer, '}');
        return PIPIT_OK;
}
