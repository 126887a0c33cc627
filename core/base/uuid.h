/*
 * UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then
 * random bits; in the text form, which sorts as the bytes do
 */

#ifndef CORE_BASE_UUID_H
#define CORE_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPIT_UUID_BYTES     16
#define PIPIT_UUID_TEXT_SIZE 37 /* 8-4-4-4-12 and the NUL */

struct pipit_uuid {
        uint8_t bytes[PIPIT_UUID_BYTES];
};

/*
 * A new UUIDv7 for @wall_us. Within one process and millisecond, and when the
 * clock steps back, ids still ascend (RFC 9562, 6.2, method 1: a counter in
 * rand_a and the top of rand_b). Any thread.
 */
struct pipit_uuid pipit_uuid_v7(int64_t wall_us);

/* Lower case, as 8-4-4-4-12. */
void pipit_uuid_format(const struct pipit_uuid *uuid, char ret_text[PIPIT_UUID_TEXT_SIZE]);

/*
 * Exactly 8-4-4-4-12 hexadecimal digits of either case, of any version. False:
 * *ret_uuid is untouched.
 */
bool pipit_uuid_parse(const char *text, struct pipit_uuid *ret_uuid);

/*
 * Fills @bytes from the kernel's generator: getrandom, where that is forbidden
 * /dev/urandom. With neither, from the clocks: ids differ still, but keys are
 * not made here.
 */
void pipit_random_bytes(void *bytes, size_t n_bytes);

/* A fast number, not for secrets: jitter, picks. Any thread; a forked child repeats its parent's. */
uint64_t pipit_random_u64(void);

#endif
