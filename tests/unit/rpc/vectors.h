/*
 * Test vectors in JSON files
 *
 * A test ends where a file or a member of it is not as expected.
 */

#ifndef TESTS_UNIT_RPC_VECTORS_H
#define TESTS_UNIT_RPC_VECTORS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The array @member of the file at @path. To be given to json_decref(). NULL: there is no such file. */
json_t *vectors_load(const char *path, const char *member);

/* Bytes of a member that is hex; returns how many there are. */
size_t vectors_bytes(const json_t *object, const char *member, uint8_t *ret_bytes, size_t n_max);

/* The same where there must be @n_bytes. */
void vectors_exactly(const json_t *object, const char *member, uint8_t *ret_bytes, size_t n_bytes);

/* A number, or a string that holds one. */
uint64_t vectors_number(const json_t *object, const char *member);

#endif
