/*
 * The sample messages, as generated code and as a schema: a test does each thing
 * with both, and they must agree to the byte
 */

#ifndef TESTS_UNIT_JSON_SAMPLES_H
#define TESTS_UNIT_JSON_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "core/base/arena.h"
#include "core/json/json.h"

struct samples {
        struct pipit_schema *schema;
        struct pipit_arena arena; /* empty at the start of a test */
};

/* Of a group of tests, and of each test. */
int samples_setup(void **state);
int samples_teardown(void **state);
int samples_reset(void **state);

/* The bytes of the descriptor set, in @arena. */
uint8_t *samples_set(struct pipit_arena *arena, size_t *ret_n_bytes);

/* By full name; fails the test when there is none. */
const ProtobufCMessageDescriptor *samples_generated(const char *name);
const ProtobufCMessageDescriptor *samples_of_schema(struct samples *samples, const char *name);

/* Reads @json as both, and back: @expected is what is written, NULL: @json. */
void samples_round_trip(struct samples *samples,
                        const char *name,
                        const char *json,
                        const char *expected);

/* Reads @json as both; each must be refused with exactly @message. */
void samples_refused(struct samples *samples,
                     const char *name,
                     const char *json,
                     const char *message);

/* Reads @json as generated code. */
void *samples_read(struct samples *samples, const char *name, const char *json);

/* Writes a generated message, on one line. */
const char *samples_write(struct samples *samples, const void *message);

#endif
