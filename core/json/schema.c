#include "core/json/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/json/field.h"
#include "core/json/nearest.h"
#include "core/json/schema_private.h"
#include "core/rpc/wire_limits.h"

#define ENTRIES_FIRST 64

/* --- errors ---------------------------------------------------------------- */

enum pipit_status schema_out_of_memory(struct schema_batch *batch)
{
        *batch->error = pipit_error_make(
                PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "OUT_OF_MEMORY", "out of memory");
        return PIPIT_RESOURCE_EXHAUSTED;
}

enum pipit_status schema_invalid(struct schema_batch *batch, const char *format, ...)
{
        const char *file = batch->file && batch->file->name ? batch->file->name : NULL;
        char problem[512];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(problem, sizeof(problem), format, arguments);
        va_end(arguments);

        char *message = pipit_arena_printf(
                &batch->schema->arena, "%s%s%s", file ? file : "", file ? ": " : "", problem);

        if (!message)
                return schema_out_of_memory(batch);

        *batch->error =
                pipit_error_make(PIPIT_INVALID_ARGUMENT, PIPIT_NOT_RUN, "SCHEMA_INVALID", message);
        return PIPIT_INVALID_ARGUMENT;
}

/* --- the table of names ------------------------------------------------------ */

struct pipit_schema *pipit_schema_new(void)
{
        return calloc(1, sizeof(struct pipit_schema));
}

struct pipit_schema *pipit_schema_free(struct pipit_schema *schema)
{
        if (!schema)
                return NULL;

        pipit_arena_deinit(&schema->arena);
        free(schema->entries);
        free(schema->buckets);
        free(schema);
        return NULL;
}

static size_t bucket_of(const struct pipit_schema *schema, const char *name)
{
        return (size_t)pipit_hash_string(PIPIT_HASH_BEGIN, name) & (schema->n_buckets - 1);
}

static void rehash(struct pipit_schema *schema)
{
        memset(schema->buckets, 0, schema->n_buckets * sizeof(*schema->buckets));
        for (size_t i = 0; i < schema->n_entries; i++) {
                size_t *bucket = &schema->buckets[bucket_of(schema, schema->entries[i].name)];

                schema->entries[i].next = *bucket;
                *bucket = i + 1;
        }
}

static bool grow(struct pipit_schema *schema)
{
        size_t n = schema->n_allocated ? schema->n_allocated * 2 : ENTRIES_FIRST;
        struct schema_entry *entries = realloc(schema->entries, n * sizeof(*entries));

        if (!entries)
                return false;
        schema->entries = entries;
        schema->n_allocated = n;

        size_t *buckets = realloc(schema->buckets, n * sizeof(*buckets));

        if (!buckets)
                return false;
        schema->buckets = buckets;
        schema->n_buckets = n;
        rehash(schema);
        return true;
}

/* Files have names of their own, all else shares one space. */
static const struct schema_entry *find_any(const struct pipit_schema *schema,
                                           bool is_file,
                                           const char *name)
{
        if (schema->n_entries == 0)
                return NULL;

        for (size_t i = schema->buckets[bucket_of(schema, name)]; i > 0;
             i = schema->entries[i - 1].next) {
                const struct schema_entry *entry = &schema->entries[i - 1];

                if ((entry->kind == SCHEMA_FILE) == is_file && strcmp(entry->name, name) == 0)
                        return entry;
        }

        return NULL;
}

const struct schema_entry *schema_find(const struct pipit_schema *schema,
                                       enum schema_kind kind,
                                       const char *name)
{
        const struct schema_entry *entry = find_any(schema, kind == SCHEMA_FILE, name);

        return entry && entry->kind == kind ? entry : NULL;
}

enum pipit_status schema_insert(struct schema_batch *batch, const struct schema_entry *entry)
{
        struct pipit_schema *schema = batch->schema;

        if (find_any(schema, entry->kind == SCHEMA_FILE, entry->name))
                return schema_invalid(batch, "%s is defined twice", entry->name);

        /* Entries and buckets grow as one: a failure in between is mended by the next try. */
        if ((schema->n_entries == schema->n_allocated || schema->n_buckets < schema->n_allocated) &&
            !grow(schema))
                return schema_out_of_memory(batch);

        size_t *bucket = &schema->buckets[bucket_of(schema, entry->name)];

        schema->entries[schema->n_entries] = *entry;
        schema->entries[schema->n_entries].next = *bucket;
        *bucket = ++schema->n_entries;
        return PIPIT_OK;
}

char *schema_join(struct pipit_schema *schema, const char *scope, const char *name)
{
        if (!scope || scope[0] == '\0')
                return pipit_arena_strdup(&schema->arena, name);

        return pipit_arena_printf(&schema->arena, "%s.%s", scope, name);
}

void schema_truncate(struct pipit_schema *schema, size_t n_entries)
{
        if (schema->n_entries == n_entries)
                return;

        schema->n_entries = n_entries;
        rehash(schema);
}

/* --- looking up -------------------------------------------------------------- */

const ProtobufCMessageDescriptor *pipit_schema_message(const struct pipit_schema *schema,
                                                       const char *name)
{
        const struct schema_entry *entry = schema_find(schema, SCHEMA_MESSAGE, name);

        return entry ? &entry->message->descriptor : NULL;
}

const ProtobufCEnumDescriptor *pipit_schema_enum(const struct pipit_schema *schema,
                                                 const char *name)
{
        const struct schema_entry *entry = schema_find(schema, SCHEMA_ENUM, name);

        return entry ? entry->enumeration : NULL;
}

const struct pipit_method *pipit_schema_method(const struct pipit_schema *schema, const char *name)
{
        char dotted[PIPIT_METHOD_BYTES_MAX + 1];
        size_t n_bytes = strlen(name);

        if (n_bytes >= sizeof(dotted))
                return NULL;
        memcpy(dotted, name, n_bytes + 1);

        char *slash = strrchr(dotted, '/');

        if (slash)
                *slash = '.';

        const struct schema_entry *entry = schema_find(schema, SCHEMA_METHOD, dotted);

        return entry ? entry->method : NULL;
}

const struct pipit_service *pipit_schema_service(const struct pipit_schema *schema, size_t index)
{
        for (size_t i = 0; i < schema->n_entries; i++) {
                if (schema->entries[i].kind == SCHEMA_SERVICE && index-- == 0)
                        return &schema->entries[i].service->service;
        }

        return NULL;
}

const struct pipit_file *pipit_schema_file(const struct pipit_schema *schema, size_t index)
{
        for (size_t i = 0; i < schema->n_entries; i++) {
                if (schema->entries[i].kind == SCHEMA_FILE && index-- == 0)
                        return schema->entries[i].file;
        }

        return NULL;
}

const char *pipit_schema_nearest_method(const struct pipit_schema *schema, const char *name)
{
        struct pipit_nearest nearest = {.wanted = name};

        for (size_t i = 0; i < schema->n_entries; i++) {
                const struct schema_entry *entry = &schema->entries[i];

                if (entry->kind == SCHEMA_METHOD)
                        pipit_nearest_consider(&nearest, entry->method->name);
                else if (entry->kind == SCHEMA_SERVICE)
                        pipit_nearest_consider(&nearest, entry->name);
        }

        return nearest.name;
}

static const struct schema_message *find_message(const struct pipit_schema *schema,
                                                 const char *name)
{
        const struct schema_entry *entry =
                schema ? schema_find(schema, SCHEMA_MESSAGE, name) : NULL;

        return entry ? entry->message : NULL;
}

const char *pipit_schema_json_name(const struct pipit_schema *schema,
                                   const ProtobufCMessageDescriptor *descriptor,
                                   const ProtobufCFieldDescriptor *field)
{
        const struct schema_message *message = find_message(schema, descriptor->name);

        if (!message)
                return NULL;

        const ProtobufCFieldDescriptor *own =
                protobuf_c_message_descriptor_get_field(&message->descriptor, field->id);

        return own ? message->json_names[own - message->descriptor.fields] : NULL;
}

const char *pipit_schema_json_key(const struct pipit_schema *schema,
                                  const ProtobufCMessageDescriptor *descriptor,
                                  const ProtobufCFieldDescriptor *field,
                                  struct pipit_arena *arena)
{
        const char *given = pipit_schema_json_name(schema, descriptor, field);
        char *camel;

        if (given)
                return given;
        camel = pipit_arena_alloc(arena, strlen(field->name) + 1);
        if (camel)
                pipit_field_camel_case(field->name, camel);

        return camel;
}

bool pipit_schema_is_map(const struct pipit_schema *schema,
                         const ProtobufCMessageDescriptor *parent,
                         const ProtobufCFieldDescriptor *field)
{
        if (!pipit_field_is_map(parent, field))
                return false;

        const ProtobufCMessageDescriptor *entry = field->descriptor;
        const struct schema_message *message = find_message(schema, entry->name);

        return !message || (message->proto->options && message->proto->options->map_entry);
}

/* --- messages ------------------------------------------------------------------ */

static void set_default(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
        void *member = pipit_field_member(message, field);

        if (!field->default_value || field->label == PROTOBUF_C_LABEL_REPEATED ||
            (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
                return;

        if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
                *(const void **)member = field->default_value;
        else
                memcpy(member, field->default_value, pipit_field_size(field->type));
}

ProtobufCMessage *pipit_schema_message_new(const ProtobufCMessageDescriptor *descriptor,
                                           struct pipit_arena *arena)
{
        ProtobufCMessage *message = pipit_arena_zalloc(arena, descriptor->sizeof_message);

        if (!message)
                return NULL;

        if (descriptor->message_init) {
                protobuf_c_message_init(descriptor, message);
                return message;
        }

        message->descriptor = descriptor;
        for (unsigned i = 0; i < descriptor->n_fields; i++)
                set_default(message, &descriptor->fields[i]);

        return message;
}
