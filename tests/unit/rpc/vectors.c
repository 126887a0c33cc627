#include "tests/unit/rpc/vectors.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *vectors_load(const char *path, const char *member)
{
        json_error_t error;
        json_t *file, *array;

        if (access(path, R_OK) != 0)
                return NULL;

        file = json_load_file(path, 0, &error);
        if (!file)
                fail_msg("%s:%d: %s", path, error.line, error.text);
        array = json_incref(json_object_get(file, member));
        json_decref(file);
        if (!json_is_array(array) || json_array_size(array) == 0)
                fail_msg("%s has no array %s", path, member);

        return array;
}

static unsigned int digit(char c)
{
        const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;

        if (!found)
                fail_msg("'%c' is no hex digit", c);
        return (unsigned int)(found - digits);
}

size_t vectors_bytes(const json_t *object, const char *member, uint8_t *ret_bytes, size_t n_max)
{
        const char *text = json_string_value(json_object_get(object, member));
        size_t n_bytes;

        if (!text)
                fail_msg("there is no %s", member);
        n_bytes = strlen(text) / 2;
        assert_true(n_bytes <= n_max);
        for (size_t i = 0; i < n_bytes; i++)
                ret_bytes[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));

        return n_bytes;
}

void vectors_exactly(const json_t *object, const char *member, uint8_t *ret_bytes, size_t n_bytes)
{
        assert_int_equal(vectors_bytes(object, member, ret_bytes, n_bytes), n_bytes);
}

uint64_t vectors_number(const json_t *object, const char *member)
{
        const json_t *value = json_object_get(object, member);

        if (json_is_integer(value))
                return (uint64_t)json_integer_value(value);
        assert_true(json_is_string(value));
        return strtoull(json_string_value(value), NULL, 10);
}
