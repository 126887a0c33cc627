#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/macros.h"
#include "core/json/status_json.h"
#include "samples.h"
#include "samples.pb-c.h"

#define SCALARS  "samples.v1.Scalars"
#define REPEATS  "samples.v1.Repeats"
#define PRESENCE "samples.v1.Presence"
#define MAPS     "samples.v1.Maps"

/* --- what is read and written ---------------------------------------------- */

static void an_empty_object_is_an_empty_message(void **state)
{
        samples_round_trip(*state, SCALARS, "{}", NULL);
        samples_round_trip(*state, "samples.v1.Nothing", " {\n} ", "{}");
}

static void every_scalar_comes_back(void **state)
{
        samples_round_trip(
                *state,
                SCALARS,
                "{\"anInt32\":-2147483648,\"aSint32\":2147483647,\"aSfixed32\":-1,"
                "\"anInt64\":\"-9223372036854775808\",\"aSint64\":\"9223372036854775807\","
                "\"aSfixed64\":\"-1\",\"aUint32\":4294967295,\"aFixed32\":1,"
                "\"aUint64\":\"18446744073709551615\",\"aFixed64\":\"9007199254740993\","
                "\"aFloat\":1.5,\"aDouble\":-0.1,\"aBool\":true,\"aColor\":\"COLOR_BLUE\","
                "\"aString\":\"a\",\"someBytes\":\"AP8=\",\"aMessage\":{\"anInt32\":1},"
                "\"@other\":\"b\"}",
                NULL);
}

static void names_are_read_in_both_forms_and_as_given(void **state)
{
        samples_round_trip(*state, SCALARS, "{\"an_int32\":1}", "{\"anInt32\":1}");
        samples_round_trip(*state, SCALARS, "{\"named\":\"x\"}", "{\"@other\":\"x\"}");
}

static void integers_of_64_bits_are_exact_as_numbers_too(void **state)
{
        samples_round_trip(*state,
                           SCALARS,
                           "{\"anInt64\":-9223372036854775808,\"aUint64\":18446744073709551615}",
                           "{\"anInt64\":\"-9223372036854775808\","
                           "\"aUint64\":\"18446744073709551615\"}");
}

static void an_integer_may_be_written_as_any_number_that_is_one(void **state)
{
        samples_round_trip(*state,
                           SCALARS,
                           "{\"anInt32\":1.0,\"aUint32\":\"42\",\"aSint32\":-1.5e1,"
                           "\"aUint64\":1.8e19}",
                           "{\"anInt32\":1,\"aSint32\":-15,\"aUint32\":42,"
                           "\"aUint64\":\"18000000000000000000\"}");
}

static void doubles_are_the_shortest_that_come_back(void **state)
{
        samples_round_trip(
                *state, SCALARS, "{\"aFloat\":0.1,\"aDouble\":0.30000000000000004}", NULL);
        samples_round_trip(
                *state, SCALARS, "{\"aFloat\":\"3.4028235e38\"}", "{\"aFloat\":3.4028235e+38}");
        samples_round_trip(*state, SCALARS, "{\"aDouble\":5e-324}", "{\"aDouble\":5e-324}");
}

static void nan_and_the_infinities_are_strings(void **state)
{
        samples_round_trip(*state, SCALARS, "{\"aFloat\":\"NaN\",\"aDouble\":\"-Infinity\"}", NULL);
        samples_round_trip(*state, SCALARS, "{\"aFloat\":\"Infinity\"}", NULL);
}

static void negative_zero_is_not_the_default(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Scalars message = SAMPLES__V1__SCALARS__INIT;

        message.a_double = -0.0;
        assert_string_equal(samples_write(samples, &message), "{\"aDouble\":-0}");
}

static void the_locale_of_the_program_does_not_matter(void **state)
{
        /* Where no such locale is installed this is the plain test once more. */
        char *before = setlocale(LC_NUMERIC, "de_DE.UTF-8");

        samples_round_trip(*state, SCALARS, "{\"aFloat\":2.5,\"aDouble\":1.25}", NULL);
        if (before)
                setlocale(LC_NUMERIC, "C");
}

static void strings_keep_every_character(void **state)
{
        samples_round_trip(
                *state,
                SCALARS,
                "{\"aString\":\"\\u00e9\\ud83d\\ude00\\/\\\"\\\\\\b\\f\\n\\r\\t\\u001f\"}",
                "{\"aString\":\"\xc3\xa9\xf0\x9f\x98\x80/\\\"\\\\\\b\\f\\n\\r\\t\\u001f\"}");
}

static void bytes_are_read_as_base64_of_both_alphabets(void **state)
{
        samples_round_trip(*state, SCALARS, "{\"someBytes\":\"-_-_\"}", "{\"someBytes\":\"+/+/\"}");
        samples_round_trip(*state, SCALARS, "{\"someBytes\":\"YQ\"}", "{\"someBytes\":\"YQ==\"}");
}

static void an_enum_is_read_by_name_by_alias_and_by_number(void **state)
{
        samples_round_trip(*state, SCALARS, "{\"aColor\":5}", "{\"aColor\":\"COLOR_BLUE\"}");
        samples_round_trip(
                *state, SCALARS, "{\"aColor\":\"COLOR_AZURE\"}", "{\"aColor\":\"COLOR_BLUE\"}");
        samples_round_trip(*state, SCALARS, "{\"aColor\":-1}", "{\"aColor\":\"COLOR_NEGATIVE\"}");
        samples_round_trip(
                *state, SCALARS, "{\"aColor\":2147483647}", "{\"aColor\":\"COLOR_LAST\"}");
        samples_round_trip(*state, SCALARS, "{\"aColor\":77}", NULL);
}

static void null_is_absent(void **state)
{
        samples_round_trip(*state,
                           SCALARS,
                           "{\"anInt32\":null,\"aString\":null,\"aMessage\":null,\"aColor\":null}",
                           "{}");
        samples_round_trip(*state, REPEATS, "{\"strings\":null,\"messages\":null}", "{}");
        samples_round_trip(*state, MAPS, "{\"strings\":null}", "{}");
        samples_round_trip(*state,
                           PRESENCE,
                           "{\"age\":null,\"number\":null,\"text\":\"a\"}",
                           "{\"text\":\"a\"}");
}

static void every_repeated_field_comes_back(void **state)
{
        samples_round_trip(*state,
                           REPEATS,
                           "{\"int32s\":[1,-2,0],\"sint64s\":[\"-1\"],\"fixed64s\":[\"1\",\"2\"],"
                           "\"doubles\":[0.5,\"NaN\"],\"floats\":[1],\"bools\":[true,false],"
                           "\"colors\":[\"COLOR_RED\",7],\"strings\":[\"\",\"a\"],"
                           "\"blobs\":[\"\",\"YQ==\"],\"messages\":[{},{\"int32s\":[3]}],"
                           "\"loose\":[1,2]}",
                           NULL);
        samples_round_trip(*state, REPEATS, "{\"int32s\":[]}", "{}");
}

static void an_optional_field_that_is_zero_is_there(void **state)
{
        samples_round_trip(*state,
                           PRESENCE,
                           "{\"age\":0,\"name\":\"\",\"blob\":\"\",\"flag\":false,"
                           "\"color\":\"COLOR_UNSPECIFIED\",\"ratio\":0}",
                           NULL);
}

static void every_member_of_a_oneof_comes_back(void **state)
{
        samples_round_trip(*state, PRESENCE, "{\"number\":\"0\"}", NULL);
        samples_round_trip(*state, PRESENCE, "{\"text\":\"\"}", NULL);
        samples_round_trip(*state, PRESENCE, "{\"raw\":\"YQ==\"}", NULL);
        samples_round_trip(*state, PRESENCE, "{\"inner\":{\"inner\":{\"yes\":false}}}", NULL);
        samples_round_trip(*state, PRESENCE, "{\"shade\":\"COLOR_RED\"}", NULL);
        samples_round_trip(*state, PRESENCE, "{\"nothing\":null}", NULL);
        samples_round_trip(*state, PRESENCE, "{\"anything\":null}", NULL);
}

static void nested_types_come_back(void **state)
{
        samples_round_trip(
                *state, PRESENCE, "{\"deep\":{\"deeper\":{\"kind\":\"KIND_OTHER\"}}}", NULL);
}

static void a_json_name_goes_before_the_name_of_another_field(void **state)
{
        struct samples *samples = *state;
        const ProtobufCMessageDescriptor *descriptor =
                samples_of_schema(samples, "samples.v1.Swapped");
        const char *json = "{\"south\":\"a\",\"east\":\"b\"}";
        struct pipit_error error = {0};
        ProtobufCMessage *message = NULL;
        char *text = NULL;

        assert_int_equal(pipit_json_read(descriptor,
                                         json,
                                         strlen(json),
                                         samples->schema,
                                         &samples->arena,
                                         &message,
                                         &error),
                         PIPIT_OK);
        assert_int_equal(
                pipit_json_write(message, samples->schema, NULL, &samples->arena, &text, &error),
                PIPIT_OK);
        assert_string_equal(text, json);
}

static void pretty_is_two_spaces_a_level(void **state)
{
        struct samples *samples = *state;
        const struct pipit_json_style style = {.pretty = true};
        struct pipit_error error = {0};
        char *text = NULL;
        const ProtobufCMessage *message = samples_read(
                samples, REPEATS, "{\"int32s\":[1,2],\"messages\":[{},{\"strings\":[\"a\"]}]}");

        assert_int_equal(pipit_json_write(message, NULL, &style, &samples->arena, &text, &error),
                         PIPIT_OK);
        assert_string_equal(text,
                            "{\n"
                            "  \"int32s\": [\n"
                            "    1,\n"
                            "    2\n"
                            "  ],\n"
                            "  \"messages\": [\n"
                            "    {},\n"
                            "    {\n"
                            "      \"strings\": [\n"
                            "        \"a\"\n"
                            "      ]\n"
                            "    }\n"
                            "  ]\n"
                            "}");
}

static void defaults_are_written_where_empty_and_absent_are_the_same(void **state)
{
        struct samples *samples = *state;
        const struct pipit_json_style style = {.defaults = true};
        const ProtobufCMessage *message =
                samples_read(samples, PRESENCE, "{\"deep\":{\"deeper\":{}}}");
        struct pipit_error error = {0};
        char *text = NULL;

        assert_int_equal(pipit_json_write(message, NULL, &style, &samples->arena, &text, &error),
                         PIPIT_OK);
        assert_string_equal(text, "{\"deep\":{\"deeper\":{\"kind\":\"KIND_UNSPECIFIED\"}}}");

        message = samples_read(samples, MAPS, "{}");
        assert_int_equal(
                pipit_json_write(message, samples->schema, &style, &samples->arena, &text, &error),
                PIPIT_OK);
        assert_string_equal(
                text,
                "{\"strings\":{},\"numbers\":{},\"flags\":{},\"messages\":{},\"colors\":{},"
                "\"blobsById\":{},\"values\":{},\"notAMap\":[]}");
}

static void bad_utf8_in_a_message_is_written_as_replacement(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Scalars message = SAMPLES__V1__SCALARS__INIT;
        char bad[] = "a\xff"
                     "b";

        message.a_string = bad;
        assert_string_equal(samples_write(samples, &message),
                            "{\"aString\":\"a\xef\xbf\xbd"
                            "b\"}");
}

/* --- what is refused ---------------------------------------------------------- */

static void a_wrong_value_is_named_by_path_type_and_place(void **state)
{
        static const struct {
                const char *name;
                const char *json;
                const char *message;
        } rows[] = {
                {SCALARS,
                 "{\"a_uint32\": \"131x\"}",
                 "1:14: a_uint32: \"131x\" is not a number (uint32)"},
                {SCALARS, "{\"aUint32\":true}", "1:12: aUint32: true is not a number (uint32)"},
                {SCALARS, "{\"aUint32\":\"\"}", "1:12: aUint32: \"\" is not a number (uint32)"},
                {SCALARS, "{\"aUint32\":\" 1\"}", "1:12: aUint32: \" 1\" is not a number (uint32)"},
                {SCALARS, "{\"aUint32\":1.5}", "1:12: aUint32: 1.5 is not a whole number (uint32)"},
                {SCALARS,
                 "{\"aUint32\":-1}",
                 "1:12: aUint32: -1 is out of range (uint32: 0 to 4294967295)"},
                {SCALARS,
                 "{\"aUint32\":4294967296}",
                 "1:12: aUint32: 4294967296 is out of range (uint32: 0 to 4294967295)"},
                {SCALARS,
                 "{\"anInt32\":-2147483649}",
                 "1:12: anInt32: -2147483649 is out of range (int32: -2147483648 to 2147483647)"},
                {SCALARS,
                 "{\"anInt32\":2147483648}",
                 "1:12: anInt32: 2147483648 is out of range (int32: -2147483648 to 2147483647)"},
                {SCALARS,
                 "{\"anInt64\":9223372036854775808}",
                 "1:12: anInt64: 9223372036854775808 is out of range (int64: -9223372036854775808 "
                 "to "
                 "9223372036854775807)"},
                {SCALARS,
                 "{\"aUint64\":18446744073709551616}",
                 "1:12: aUint64: 18446744073709551616 is out of range (uint64: 0 to "
                 "18446744073709551615)"},
                {SCALARS, "{\"aFloat\":1e39}", "1:11: aFloat: 1e39 is out of range (float)"},
                {SCALARS, "{\"aDouble\":1e400}", "1:12: aDouble: 1e400 is out of range (double)"},
                {SCALARS,
                 "{\"aDouble\":\"nan\"}",
                 "1:12: aDouble: \"nan\" is not a number (double)"},
                {SCALARS,
                 "{\"aBool\":\"true\"}",
                 "1:10: aBool: \"true\" is neither true nor false (bool)"},
                {SCALARS, "{\"aString\":5}", "1:12: aString: 5 is not a string"},
                {SCALARS, "{\"someBytes\":\"a\"}", "1:14: someBytes: \"a\" is not base64 (bytes)"},
                {SCALARS,
                 "{\"someBytes\":\"a=b=\"}",
                 "1:14: someBytes: \"a=b=\" is not base64 (bytes)"},
                {SCALARS,
                 "{\"aMessage\":[]}",
                 "1:13: aMessage: an array is not an object (samples.v1.Scalars)"},
                {SCALARS, "[]", "1:1: an array is not an object (samples.v1.Scalars)"},
                {SCALARS, "null", "1:1: null is not an object (samples.v1.Scalars)"},
                {SCALARS,
                 "{\"aColor\":\"COLOR_BLEU\"}",
                 "1:11: aColor: \"COLOR_BLEU\" is not a value of samples.v1.Color; did you mean "
                 "\"COLOR_BLUE\"?"},
                {SCALARS,
                 "{\"aColor\":1.5}",
                 "1:11: aColor: 1.5 is not a value of samples.v1.Color"},
                {REPEATS, "{\"int32s\":1}", "1:11: int32s: 1 is not an array (repeated int32)"},
                {REPEATS,
                 "{\"int32s\":[1,\"x\"]}",
                 "1:14: int32s[1]: \"x\" is not a number (int32)"},
                {REPEATS,
                 "{\"int32s\":[null]}",
                 "1:12: int32s[0]: null cannot be an element of an array"},
                {REPEATS,
                 "{\"messages\":[{},{\"strings\":[1]}]}",
                 "1:29: messages[1].strings[0]: 1 is not a string"},
                {MAPS, "{\"strings\":[]}", "1:12: strings: an array is not an object (map)"},
                {MAPS,
                 "{\"strings\":{\"a\":null}}",
                 "1:17: strings[\"a\"]: null cannot be a value of a map"},
                {MAPS,
                 "{\"numbers\":{\"x\":1}}",
                 "1:17: numbers[\"x\"]: \"x\" is not a number (int32)"},
                {MAPS,
                 "{\"numbers\":{\"1.0\":1}}",
                 "1:19: numbers[\"1.0\"]: \"1.0\" is not a key (int32)"},
                {MAPS,
                 "{\"flags\":{\"yes\":true}}",
                 "1:17: flags[\"yes\"]: \"yes\" is neither true nor false (bool)"},
                {MAPS,
                 "{\"messages\":{\"1\":{\"anInt32\":{}}}}",
                 "1:29: messages[\"1\"].anInt32: an object is not a number (int32)"},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(rows); i++)
                samples_refused(*state, rows[i].name, rows[i].json, rows[i].message);
}

static void an_unknown_field_is_an_error_with_the_nearest_name(void **state)
{
        samples_refused(*state,
                        PRESENCE,
                        "{\"nmae\":\"x\"}",
                        "1:9: nmae: samples.v1.Presence has no such field; did you mean \"name\"?");
        samples_refused(
                *state,
                PRESENCE,
                "{\"deep\":{\"zzzzzz\":1}}",
                "1:19: deep.zzzzzz: samples.v1.Presence.Deep has no such field; it has deeper");
        samples_refused(
                *state,
                SCALARS,
                "{\"anInt33\":1}",
                "1:12: anInt33: samples.v1.Scalars has no such field; did you mean \"anInt32\"?");
        samples_refused(*state,
                        "samples.v1.Nothing",
                        "{\"a\":1}",
                        "1:6: a: samples.v1.Nothing has no such field; it has none");
}

static void a_field_under_both_its_names_is_an_error(void **state)
{
        samples_refused(
                *state,
                SCALARS,
                "{\"anInt32\":1,\n \"an_int32\":2}",
                "2:13: an_int32: the field \"an_int32\" is there already, under its other name");
        samples_refused(
                *state,
                SCALARS,
                "{\"anInt32\":null,\"an_int32\":2}",
                "1:28: an_int32: the field \"an_int32\" is there already, under its other name");
}

static void two_members_of_a_oneof_are_an_error(void **state)
{
        samples_refused(
                *state,
                PRESENCE,
                "{\"number\":1,\"text\":\"a\"}",
                "1:20: text: \"number\" is set already, and samples.v1.Presence takes only one of "
                "them (oneof)");
        samples_refused(*state,
                        PRESENCE,
                        "{\"nothing\":null,\"anything\":null}",
                        "1:28: anything: \"nothing\" is set already, and samples.v1.Presence takes "
                        "only one "
                        "of them (oneof)");
}

static void no_json_at_all_says_what_would_do(void **state)
{
        samples_refused(*state, SCALARS, "", "1:1: there is no JSON; an empty message is {}");
        samples_refused(*state, SCALARS, " \n ", "1:1: there is no JSON; an empty message is {}");
}

static void broken_json_names_line_and_column(void **state)
{
        samples_refused(*state,
                        SCALARS,
                        "{\n  \"anInt32\": 1,\n}",
                        "3:1: expected a name in double quotes, found '}'");
}

static void a_long_wrong_value_is_shown_in_short(void **state)
{
        samples_refused(
                *state,
                SCALARS,
                "{\"anInt32\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                "\xc3\xa9\xc3\xa9"
                "a\xc3\xa9\xc3\xa9\"}",
                "1:12: anInt32: \"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                "\xc3\xa9\xc3\xa9"
                "a...\" is not a number (int32)");
}

static void a_message_nested_too_deep_is_not_written(void **state)
{
        struct samples *samples = *state;
        Samples__V1__Scalars levels[101];
        struct pipit_error error = {0};
        char *text = NULL;

        for (size_t i = 0; i < 101; i++) {
                samples__v1__scalars__init(&levels[i]);
                levels[i].a_message = i > 0 ? &levels[i - 1] : NULL;
        }

        assert_int_equal(
                pipit_json_write(&levels[99].base, NULL, NULL, &samples->arena, &text, &error),
                PIPIT_OK);
        assert_int_equal(
                pipit_json_write(&levels[100].base, NULL, NULL, &samples->arena, &text, &error),
                PIPIT_INVALID_ARGUMENT);
        assert_string_equal(error.message,
                            "samples.v1.Scalars is nested more than 100 levels deep");
}

/* --- memory ---------------------------------------------------------------------- */

static const char large[] =
        "{\"strings\":{\"a\":\"b\",\"c\":\"d\"},\"messages\":{\"1\":{\"aString\":\"x\","
        "\"someBytes\":\"YWJj\",\"aMessage\":{\"aDouble\":1.5}}},"
        "\"values\":{\"v\":[1,\"two\",{\"three\":null}]}}";

static void reading_fails_cleanly_at_every_shortage_of_memory(void **state)
{
        struct samples *samples = *state;
        const ProtobufCMessageDescriptor *descriptor = samples_of_schema(samples, MAPS);
        enum pipit_status status = PIPIT_RESOURCE_EXHAUSTED;
        size_t n_failures = 0;

        for (size_t cap = 16; status != PIPIT_OK; cap += 16) {
                struct pipit_arena arena = {.cap_bytes = cap};
                struct pipit_error error = {0};
                ProtobufCMessage *message;

                status = pipit_json_read(descriptor,
                                         large,
                                         strlen(large),
                                         samples->schema,
                                         &arena,
                                         &message,
                                         &error);
                if (status != PIPIT_OK) {
                        assert_int_equal(status, PIPIT_RESOURCE_EXHAUSTED);
                        assert_int_equal(error.status, PIPIT_RESOURCE_EXHAUSTED);
                        n_failures++;
                }
                pipit_arena_deinit(&arena);
        }

        assert_true(n_failures > 20);
}

static void writing_fails_cleanly_at_every_shortage_of_memory(void **state)
{
        struct samples *samples = *state;
        const ProtobufCMessage *message = samples_read(samples, MAPS, large);
        enum pipit_status status = PIPIT_RESOURCE_EXHAUSTED;
        size_t n_failures = 0;

        for (size_t cap = 16; status != PIPIT_OK; cap += 16) {
                struct pipit_arena arena = {.cap_bytes = cap};
                struct pipit_error error = {0};
                char *text;

                status = pipit_json_write(message, NULL, NULL, &arena, &text, &error);
                if (status != PIPIT_OK) {
                        assert_int_equal(status, PIPIT_RESOURCE_EXHAUSTED);
                        n_failures++;
                } else {
                        assert_string_equal(text, large);
                }
                pipit_arena_deinit(&arena);
        }

        assert_true(n_failures > 5);
}

/* --- errors ------------------------------------------------------------------------ */

static void an_error_is_written_as_a_status_with_its_details(void **state)
{
        struct samples *samples = *state;
        const struct pipit_violation violations[] = {{"user.age", "0 to 130"}};
        const struct pipit_error error = {
                .status = PIPIT_INVALID_ARGUMENT,
                .ran = PIPIT_RAN,
                .retry_after_ms = 1500,
                .reason = "FIELD_INVALID",
                .domain = "users.v1",
                .message = "no",
                .violations = violations,
                .n_violations = 1,
        };
        struct pipit_error problem = {0};
        char *text = NULL;

        assert_int_equal(pipit_json_write_status(&error, NULL, &samples->arena, &text, &problem),
                         PIPIT_OK);
        assert_string_equal(
                text,
                "{\"code\":3,\"message\":\"no\",\"details\":["
                "{\"@type\":\"type.googleapis.com/"
                "google.rpc.ErrorInfo\",\"reason\":\"FIELD_INVALID\","
                "\"domain\":\"users.v1\",\"metadata\":{\"ran\":\"ran\"}},"
                "{\"@type\":\"type.googleapis.com/google.rpc.BadRequest\",\"fieldViolations\":["
                "{\"field\":\"user.age\",\"description\":\"0 to 130\"}]},"
                "{\"@type\":\"type.googleapis.com/"
                "google.rpc.RetryInfo\",\"retryDelay\":\"1.500s\"}]}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, samples_reset)
                TEST(an_empty_object_is_an_empty_message),
                TEST(every_scalar_comes_back),
                TEST(names_are_read_in_both_forms_and_as_given),
                TEST(integers_of_64_bits_are_exact_as_numbers_too),
                TEST(an_integer_may_be_written_as_any_number_that_is_one),
                TEST(doubles_are_the_shortest_that_come_back),
                TEST(nan_and_the_infinities_are_strings),
                TEST(negative_zero_is_not_the_default),
                TEST(the_locale_of_the_program_does_not_matter),
                TEST(strings_keep_every_character),
                TEST(bytes_are_read_as_base64_of_both_alphabets),
                TEST(an_enum_is_read_by_name_by_alias_and_by_number),
                TEST(null_is_absent),
                TEST(every_repeated_field_comes_back),
                TEST(an_optional_field_that_is_zero_is_there),
                TEST(every_member_of_a_oneof_comes_back),
                TEST(nested_types_come_back),
                TEST(a_json_name_goes_before_the_name_of_another_field),
                TEST(pretty_is_two_spaces_a_level),
                TEST(defaults_are_written_where_empty_and_absent_are_the_same),
                TEST(bad_utf8_in_a_message_is_written_as_replacement),
                TEST(a_wrong_value_is_named_by_path_type_and_place),
                TEST(an_unknown_field_is_an_error_with_the_nearest_name),
                TEST(a_field_under_both_its_names_is_an_error),
                TEST(two_members_of_a_oneof_are_an_error),
                TEST(no_json_at_all_says_what_would_do),
                TEST(broken_json_names_line_and_column),
                TEST(a_long_wrong_value_is_shown_in_short),
                TEST(a_message_nested_too_deep_is_not_written),
                TEST(reading_fails_cleanly_at_every_shortage_of_memory),
                TEST(writing_fails_cleanly_at_every_shortage_of_memory),
                TEST(an_error_is_written_as_a_status_with_its_details),
#undef TEST
        };

        return cmocka_run_group_tests(tests, samples_setup, samples_teardown);
}
