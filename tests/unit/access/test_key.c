#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/access/key.h"
#include "core/base/uuid.h"

/* Python: prefix + b32encode(key + sha256(prefix + key)[:4]), in lower case. */
static const struct {
        enum pipit_key_type type;
        uint8_t first, step;
        const char *text;
} samples[] = {
        {PIPIT_KEY_PUBLIC,
         0,
         1,
         "pipit-pk1_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp6lgftle"},
        {PIPIT_KEY_SECRET,
         0,
         1,
         "pipit-sk1_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypwqy2og4"},
        {PIPIT_KEY_PUBLIC,
         255,
         0,
         "pipit-pk1_777777777777777777777777777777777777777777777777777tfbkfj4"},
};

static void make(size_t i, uint8_t ret_key[PIPIT_KEY_BYTES])
{
        for (size_t j = 0; j < PIPIT_KEY_BYTES; j++)
                ret_key[j] = (uint8_t)(samples[i].first + j * samples[i].step);
}

static void a_key_is_the_text_that_another_program_makes(void **state)
{
        uint8_t key[PIPIT_KEY_BYTES], read[PIPIT_KEY_BYTES];
        char text[PIPIT_KEY_TEXT_SIZE];

        (void)state;
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(samples); i++) {
                make(i, key);
                pipit_key_format(samples[i].type, key, text);
                assert_string_equal(text, samples[i].text);
                assert_null(pipit_key_parse(samples[i].type, text, strlen(text), read, NULL));
                assert_memory_equal(read, key, sizeof(key));
        }
}

static void every_key_comes_back(void **state)
{
        uint8_t key[PIPIT_KEY_BYTES], read[PIPIT_KEY_BYTES];
        char text[PIPIT_KEY_TEXT_SIZE];

        (void)state;
        for (size_t i = 0; i < 1000; i++) {
                enum pipit_key_type type = i % 2 ? PIPIT_KEY_PUBLIC : PIPIT_KEY_SECRET;

                pipit_random_bytes(key, sizeof(key));
                pipit_key_format(type, key, text);
                assert_null(pipit_key_parse(type, text, PIPIT_KEY_TEXT_BYTES, read, NULL));
                assert_memory_equal(read, key, sizeof(key));
        }
}

static const char *refuse(enum pipit_key_type type, const char *text, size_t n, size_t *ret_offset)
{
        uint8_t key[PIPIT_KEY_BYTES] = {42};
        const char *problem = pipit_key_parse(type, text, n, key, ret_offset);

        assert_non_null(problem);
        assert_int_equal(key[0], 42);
        return problem;
}

/* Whatever character stands in whatever place, but for the one that belongs there. */
static void every_single_wrong_character_is_found(void **state)
{
        (void)state;
        for (size_t at = 0; at < PIPIT_KEY_TEXT_BYTES; at++) {
                char text[PIPIT_KEY_TEXT_SIZE];

                memcpy(text, samples[0].text, sizeof(text));
                for (int c = 0; c < 256; c++) {
                        size_t offset;

                        text[at] = (char)c;
                        if (text[at] != samples[0].text[at])
                                (void)refuse(PIPIT_KEY_PUBLIC, text, 68, &offset);
                }
        }
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
        char text[100];
        size_t offset;

        (void)state;
        (void)strcpy(text, samples[0].text);
        assert_string_equal(refuse(PIPIT_KEY_PUBLIC, samples[1].text, 68, &offset),
                            "is a secret key where a public one belongs");
        assert_int_equal(offset, 0);
        assert_string_equal(refuse(PIPIT_KEY_SECRET, text, 68, &offset),
                            "is a public key where a secret one belongs");
        assert_string_equal(refuse(PIPIT_KEY_PUBLIC, "ssh-rsa", 7, &offset),
                            "is no public key: one begins with pipit-pk1_");
        assert_string_equal(refuse(PIPIT_KEY_PUBLIC, text, 67, &offset),
                            "is a key that was cut: one has 68 characters");
        assert_int_equal(offset, 67);
        (void)strcat(text, "a");
        assert_string_equal(refuse(PIPIT_KEY_PUBLIC, text, 69, &offset),
                            "is longer than a key: one has 68 characters");
        assert_int_equal(offset, 68);
        text[20] = 'Q';
        assert_string_equal(refuse(PIPIT_KEY_PUBLIC, text, 68, &offset),
                            "has a character that no key has: they are a to z and 2 to 7");
        assert_int_equal(offset, 20);
        text[20] = samples[0].text[20] == 'q' ? 'r' : 'q';
        assert_string_equal(refuse(PIPIT_KEY_PUBLIC, text, 68, &offset),
                            "has a typing error: its checksum is wrong");
}

/* The prefix is under the checksum: a secret is not made public by renaming it. */
static void a_secret_key_does_not_become_a_public_one_by_its_prefix(void **state)
{
        char text[PIPIT_KEY_TEXT_SIZE];

        (void)state;
        memcpy(text, samples[1].text, sizeof(text));
        text[6] = 'p';
        (void)refuse(PIPIT_KEY_PUBLIC, text, 68, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_is_the_text_that_another_program_makes),
                cmocka_unit_test(every_key_comes_back),
                cmocka_unit_test(every_single_wrong_character_is_found),
                cmocka_unit_test(what_is_wrong_is_told_with_its_place),
                cmocka_unit_test(a_secret_key_does_not_become_a_public_one_by_its_prefix),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
