/*
 * Parameters and results in PostgreSQL's binary format
 *
 * No escaping, no parsing: a name holding quotes, braces or NULL is bytes.
 * Numbers are big-endian; an array is a header and elements with their lengths.
 */

#ifndef SERVER_STORE_POSTGRES_PG_BINARY_H
#define SERVER_STORE_POSTGRES_PG_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types that we send, by their fixed numbers in pg_type. */
enum pg_type {
        PG_TYPE_BYTEA = 17,
        PG_TYPE_INT8 = 20,
        PG_TYPE_INT4 = 23,
        PG_TYPE_TEXT = 25,
        PG_TYPE_UUID = 2950,
};

#define PG_PARAMETERS_MAX 16

/*
 * struct pg_parameters - the parameters of one statement, in one buffer
 *
 * All zero is empty; the buffer is kept from use to use. Writing never fails at
 * once: out of memory is remembered, and seal tells. One thread.
 */
struct pg_parameters {
        /* out, after seal */
        int n;
        const char *values[PG_PARAMETERS_MAX];
        int lengths[PG_PARAMETERS_MAX];
        int formats[PG_PARAMETERS_MAX]; /* all 1: binary */

        /* private */
        uint8_t *bytes;
        size_t n_bytes;
        size_t capacity;
        size_t starts[PG_PARAMETERS_MAX];
        bool failed;
};

void pg_parameters_reset(struct pg_parameters *parameters);
void pg_parameters_deinit(struct pg_parameters *parameters);

/* The next parameter. */
void pg_put_int8(struct pg_parameters *parameters, int64_t number);
void pg_put_uuid(struct pg_parameters *parameters, const uint8_t uuid[16]);

/* The next parameter is an array of @n_elements, which follow. */
void pg_put_array(struct pg_parameters *parameters, enum pg_type type, uint32_t n_elements);

void pg_put_element_null(struct pg_parameters *parameters);
void pg_put_element_int4(struct pg_parameters *parameters, int32_t number);
void pg_put_element_int8(struct pg_parameters *parameters, int64_t number);
void pg_put_element_bytes(struct pg_parameters *parameters, const void *bytes, size_t n_bytes);

/* Makes values, lengths and formats. False: out of memory. */
bool pg_parameters_seal(struct pg_parameters *parameters);

int32_t pg_get_int4(const char *bytes);
int64_t pg_get_int8(const char *bytes);

#endif
