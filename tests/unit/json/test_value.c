#include <stdio.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/json/value.h"
#include "core/json/writer.h"
#include "samples.h"

static struct pipit_json_value *parse(struct samples *samples, const char *text)
{
        struct pipit_json_value *value = NULL;
        struct pipit_error error = {0};

        if (pipit_json_parse(text, strlen(text), &samples->arena, &value, &error) != PIPIT_OK)
                fail_msg("%s: %s", text, error.message);
        return value;
}

static void refused(struct samples *samples, const char *text, size_t n_bytes, const char *message)
{
        struct pipit_json_value *value = NULL;
        struct pipit_error error = {0};

        assert_int_equal(pipit_json_parse(text, n_bytes, &samples->arena, &value, &error),
                         PIPIT_INVALID_ARGUMENT);
        assert_string_equal(error.message, message);
        assert_string_equal(error.reason, "JSON_INVALID");
        assert_null(value);
}

static void every_type_is_told_apart(void **state)
{
        static const struct {
                const char *text;
                enum pipit_json_type type;
        } rows[] = {
                {"null", PIPIT_JSON_NULL},
                {"true", PIPIT_JSON_BOOL},
                {" false ", PIPIT_JSON_BOOL},
                {"-0.5e+3", PIPIT_JSON_NUMBER},
                {"\"\"", PIPIT_JSON_STRING},
                {"[ ]", PIPIT_JSON_ARRAY},
                {"\n{\t}\r", PIPIT_JSON_OBJECT},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++)
                assert_int_equal(parse(*state, rows[i].text)->type, rows[i].type);
        assert_true(parse(*state, "true")->boolean);
        assert_false(parse(*state, "false")->boolean);
}

static void a_number_keeps_its_digits(void **state)
{
        assert_string_equal(parse(*state, "[123456789012345678901234567890.10]")->first->text,
                            "123456789012345678901234567890.10");
}

static void members_keep_their_order_and_place(void **state)
{
        const struct pipit_json_value *object = parse(*state, "{\"b\": 1,\n \"a\": [2, 3]}");
        const struct pipit_json_value *a = pipit_json_member(object, "a");

        assert_int_equal(object->n_children, 2);
        assert_string_equal(object->first->key, "b");
        assert_ptr_equal(object->first->next, a);
        assert_int_equal(a->offset, 15);
        assert_int_equal(a->n_children, 2);
        assert_string_equal(a->first->next->text, "3");
        assert_null(pipit_json_member(object, "c"));
}

static void a_position_counts_lines_and_characters(void **state)
{
        const char text[] = "a\n\xc3\xa9\xe2\x82\xac"
                            "b";
        struct pipit_json_position position = pipit_json_position_of(text, strlen(text), 7);

        (void)state;
        assert_int_equal(position.line, 2);
        assert_int_equal(position.column, 3);
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
        static const struct {
                const char *text;
                const char *message;
        } rows[] = {
                {"", "1:1: expected a value, but the text ends"},
                {"nul", "1:1: expected a value, found 'n'"},
                {"{", "1:2: expected a name in double quotes, but the text ends"},
                {"{a:1}", "1:2: expected a name in double quotes, found 'a'"},
                {"{'a':1}", "1:2: expected a name in double quotes, found '''"},
                {"{\"a\" 1}", "1:6: expected ':' after the name, found '1'"},
                {"{\"a\":}", "1:6: expected a value, found '}'"},
                {"{\"a\":1,}", "1:8: expected a name in double quotes, found '}'"},
                {"{\"a\":1 \"b\":2}", "1:8: expected ',' or '}', found '\"'"},
                {"[1 2]", "1:4: expected ',' or ']', found '2'"},
                {"[1,]", "1:4: expected a value, found ']'"},
                {"[1", "1:3: expected ',' or ']', but the text ends"},
                {"1 1", "1:3: expected nothing after the value, found '1'"},
                {"{}x", "1:3: expected nothing after the value, found 'x'"},
                {"// x\n1", "1:1: expected a value, found '/'"},
                {"01", "1:1: a number cannot begin with 0"},
                {"-", "1:1: this is not a number as JSON writes them"},
                {"1.", "1:1: this is not a number as JSON writes them"},
                {".5", "1:1: expected a value, found '.'"},
                {"+1", "1:1: expected a value, found '+'"},
                {"1e", "1:1: this is not a number as JSON writes them"},
                {"0x1", "1:2: expected nothing after the value, found 'x'"},
                {"NaN", "1:1: expected a value, found 'N'"},
                {"\"a", "1:1: this string has no closing quote"},
                {"\"a\\",
                 "1:3: no such escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"},
                {"\"\\x\"",
                 "1:2: no such escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"},
                {"\"\\u12g4\"", "1:2: \\u needs four hexadecimal digits"},
                {"\"\\u12", "1:2: \\u needs four hexadecimal digits"},
                {"\"\\u0000\"", "1:2: \\u0000 cannot be in a string of a message"},
                {"\"\\ud800\"", "1:2: half a surrogate pair: no such character"},
                {"\"\\ud800\\u0041\"", "1:2: half a surrogate pair: no such character"},
                {"\"\\udc00\"", "1:2: half a surrogate pair: no such character"},
                {"\"a\nb\"", "1:3: a string ends on its line; write \\n"},
                {"\"\x01\"", "1:2: a control character in a string must be written as \\u00XX"},
                {"\"\xff\"", "1:2: not UTF-8"},
                {"\"\xc0\x80\"", "1:2: not UTF-8"},
                {"\xff", "1:1: expected a value, found byte 0xff"},
                {"\xef\xbb\xbf{}", "1:1: expected a value, found '\xef\xbb\xbf'"},
                {"{\"a\":1,\n\"a\":2}", "2:5: \"a\" is in this object already"},
                {"{\"a\":1,\"\\u0061\":2}", "1:17: \"a\" is in this object already"},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++)
                refused(*state, rows[i].text, strlen(rows[i].text), rows[i].message);
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
        refused(*state, "{}\0", 3, "1:3: expected nothing after the value, found byte 0x00");
        refused(*state,
                "\"a\0b\"",
                5,
                "1:3: a control character in a string must be written as \\u00XX");
        refused(*state,
                "\"\\\0\"",
                4,
                "1:2: no such escape; there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
}

static void a_name_twice_among_many_is_found(void **state)
{
        struct samples *samples = *state;
        char text[4096] = "{", *end = text + 1;

        for (int i = 0; i < 100; i++)
                end += sprintf(end, "\"k%d\":%d,", i, i);
        memcpy(end, "\"z\":0}", 7);
        assert_int_equal(parse(samples, text)->n_children, 101);

        memcpy(end, "\"k42\":0}", 9);
        struct pipit_json_value *value;
        struct pipit_error error = {0};

        assert_int_equal(pipit_json_parse(text, strlen(text), &samples->arena, &value, &error),
                         PIPIT_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "\"k42\" is in this object already"));
}

static void a_hundred_levels_are_the_limit(void **state)
{
        char text[256];

        memset(text, '[', 100);
        memset(text + 100, ']', 100);
        text[200] = '\0';
        assert_int_equal(parse(*state, text)->type, PIPIT_JSON_ARRAY);

        memset(text, '[', 101);
        memset(text + 101, ']', 101);
        text[202] = '\0';
        refused(*state, text, 202, "1:101: nested more than 100 levels deep");
}

static void what_is_written_is_read_again(void **state)
{
        struct samples *samples = *state;
        struct pipit_json_writer writer = {.arena = &samples->arena, .pretty = true};
        const struct pipit_json_value *value;
        char every[128];

        for (int i = 0; i < 127; i++)
                every[i] = (char)(i + 1);
        every[127] = '\0';

        pipit_json_writer_begin(&writer, '{');
        pipit_json_writer_key(&writer, every);
        pipit_json_writer_string(&writer, every, 127);
        pipit_json_writer_key(&writer, "empty");
        pipit_json_writer_begin(&writer, '[');
        pipit_json_writer_end(&writer, ']');
        pipit_json_writer_end(&writer, '}');

        value = parse(samples, pipit_json_writer_finish(&writer));
        assert_string_equal(value->first->key, every);
        assert_string_equal(value->first->text, every);
        assert_int_equal(pipit_json_member(value, "empty")->n_children, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, samples_reset)
                TEST(every_type_is_told_apart),
                TEST(a_number_keeps_its_digits),
                TEST(members_keep_their_order_and_place),
                TEST(a_position_counts_lines_and_characters),
                TEST(what_is_not_json_is_refused_with_its_place),
                TEST(a_nul_byte_is_refused_wherever_it_stands),
                TEST(a_name_twice_among_many_is_found),
                TEST(a_hundred_levels_are_the_limit),
                TEST(what_is_written_is_read_again),
#undef TEST
        };

        return cmocka_run_group_tests(tests, samples_setup, samples_teardown);
}
