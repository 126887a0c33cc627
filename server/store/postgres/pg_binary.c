#include "server/store/postgres/pg_binary.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES_FIRST 4096

/* In the has-nulls word of an array's header: elements may be NULL. */
#define ARRAY_MAY_HOLD_NULL 1

static uint8_t *reserve(struct pg_parameters *parameters, size_t n_bytes)
{
        size_t wanted = parameters->n_bytes + n_bytes;
        size_t capacity = parameters->capacity ? parameters->capacity : BUFFER_BYTES_FIRST;
        uint8_t *bytes;

        if (parameters->failed)
                return NULL;

        while (capacity < wanted)
                capacity *= 2;

        if (capacity != parameters->capacity) {
                bytes = realloc(parameters->bytes, capacity);
                if (!bytes) {
                        parameters->failed = true;
                        return NULL;
                }
                parameters->bytes = bytes;
                parameters->capacity = capacity;
        }

        bytes = parameters->bytes + parameters->n_bytes;
        parameters->n_bytes = wanted;
        return bytes;
}

static void put_bytes(struct pg_parameters *parameters, const void *bytes, size_t n_bytes)
{
        uint8_t *to = reserve(parameters, n_bytes);

        if (to && n_bytes > 0)
                memcpy(to, bytes, n_bytes);
}

static void put_u32(struct pg_parameters *parameters, uint32_t number)
{
        uint32_t big = htobe32(number);

        put_bytes(parameters, &big, sizeof(big));
}

static void put_u64(struct pg_parameters *parameters, uint64_t number)
{
        uint64_t big = htobe64(number);

        put_bytes(parameters, &big, sizeof(big));
}

static void start(struct pg_parameters *parameters)
{
        if (parameters->n == PG_PARAMETERS_MAX) {
                parameters->failed = true;
                return;
        }
        parameters->starts[parameters->n++] = parameters->n_bytes;
}

void pg_parameters_reset(struct pg_parameters *parameters)
{
        parameters->n = 0;
        parameters->n_bytes = 0;
        parameters->failed = false;
}

void pg_parameters_deinit(struct pg_parameters *parameters)
{
        free(parameters->bytes);
        *parameters = (struct pg_parameters){0};
}

void pg_put_int8(struct pg_parameters *parameters, int64_t number)
{
        start(parameters);
        put_u64(parameters, (uint64_t)number);
}

void pg_put_uuid(struct pg_parameters *parameters, const uint8_t uuid[16])
{
        start(parameters);
        put_bytes(parameters, uuid, 16);
}

void pg_put_array(struct pg_parameters *parameters, enum pg_type type, uint32_t n_elements)
{
        start(parameters);
        put_u32(parameters, 1); /* dimensions */
        put_u32(parameters, ARRAY_MAY_HOLD_NULL);
        put_u32(parameters, type);
        put_u32(parameters, n_elements);
        put_u32(parameters, 1); /* the first index */
}

void pg_put_element_null(struct pg_parameters *parameters)
{
        put_u32(parameters, UINT32_MAX);
}

void pg_put_element_int4(struct pg_parameters *parameters, int32_t number)
{
        put_u32(parameters, sizeof(number));
        put_u32(parameters, (uint32_t)number);
}

void pg_put_element_int8(struct pg_parameters *parameters, int64_t number)
{
        put_u32(parameters, sizeof(number));
        put_u64(parameters, (uint64_t)number);
}

void pg_put_element_bytes(struct pg_parameters *parameters, const void *bytes, size_t n_bytes)
{
        put_u32(parameters, (uint32_t)n_bytes);
        put_bytes(parameters, bytes, n_bytes);
}

bool pg_parameters_seal(struct pg_parameters *parameters)
{
        if (parameters->failed)
                return false;

        /* Only now: the buffer may have moved while it grew. */
        for (int i = 0; i < parameters->n; i++) {
                size_t end =
                        i + 1 < parameters->n ? parameters->starts[i + 1] : parameters->n_bytes;

                parameters->values[i] = (const char *)parameters->bytes + parameters->starts[i];
                parameters->lengths[i] = (int)(end - parameters->starts[i]);
                parameters->formats[i] = 1;
        }
        return true;
}

int32_t pg_get_int4(const char *bytes)
{
        uint32_t big;

        memcpy(&big, bytes, sizeof(big));
        return (int32_t)be32toh(big);
}

int64_t pg_get_int8(const char *bytes)
{
        uint64_t big;

        memcpy(&big, bytes, sizeof(big));
        return (int64_t)be64toh(big);
}
