/*
 * What a fuzz target is: one function, and a folder corpus/NAME
 *
 * With libFuzzer it is called with what that makes up; without, replay.c calls it
 * with each file of the corpus, so that what was found once is tested in every run.
 *
 * A target states properties, not only that nothing crashes: FUZZ_CHECK ends the
 * process where one does not hold.
 */

#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

#define FUZZ_CHECK(condition)                                                                      \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        (void)fprintf(stderr,                                                      \
                                      "%s:%d: does not hold: %s\n",                                \
                                      __FILE__,                                                    \
                                      __LINE__,                                                    \
                                      #condition);                                                 \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)

/* Reads an input from its front, as numbers and pieces; at the end all is zero and empty. */
struct fuzz_input {
        const uint8_t *at;
        size_t n_left;
};

static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
        if (input->n_left == 0)
                return 0;
        input->n_left--;

        return *input->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
        uint8_t low = fuzz_byte(input);

        return (uint16_t)(low | fuzz_byte(input) << 8);
}

#endif
