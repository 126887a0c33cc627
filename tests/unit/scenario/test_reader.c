#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "tests/unit/scenario/sample.h"
#include "tools/cli/scenario/reader.h"

static void assert_reads(const char *yaml, const char *json)
{
        struct sample sample;

        sample_init(&sample);
        assert_string_equal(scenario_value_json(sample_read(&sample, yaml), &sample.arena), json);
        sample_deinit(&sample);
}

static void assert_refuses(const char *yaml, const char *problem)
{
        struct sample sample;

        sample_init(&sample);
        assert_string_equal(sample_problem(&sample, yaml), problem);
        sample_deinit(&sample);
}

static void plain_scalars_are_those_of_the_core_schema(void **state PIPIT_UNUSED)
{
        assert_reads("[~, null, Null, NULL]", "[null,null,null,null]");
        assert_reads("{a: , b: }", "{\"a\":null,\"b\":null}");
        assert_reads("[true, True, TRUE, false]", "[true,true,true,false]");
        assert_reads("[no, yes, on, off, y, n]", "[\"no\",\"yes\",\"on\",\"off\",\"y\",\"n\"]");
        assert_reads("[0, -1, 1.5, 1e3, 18446744073709551615]",
                     "[0,-1,1.5,1e3,18446744073709551615]");
        assert_reads("[\"1\", '2', !!str 3, ! 4]", "[\"1\",\"2\",\"3\",\"4\"]");
        assert_reads("[1.2.3, 12:30, 2026-01-31, 1_000, 0x, 1e, ., -]",
                     "[\"1.2.3\",\"12:30\",\"2026-01-31\",\"1_000\",\"0x\",\"1e\",\".\",\"-\"]");
}

static void numbers_that_others_read_otherwise_are_refused(void **state PIPIT_UNUSED)
{
        static const char *const doubtful[] = {
                "007", "00", "-01", "+5", ".5", "5.", "0x1F", "0o17", ".inf", "-.inf", ".NaN"};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(doubtful); i++) {
                char problem[128];

                (void)snprintf(problem,
                               sizeof(problem),
                               "1:1: is %s a number or a text? Write it as a number of JSON, or "
                               "in quotes",
                               doubtful[i]);
                assert_refuses(doubtful[i], problem);
        }
}

static void blocks_flows_and_aliases_are_read(void **state PIPIT_UNUSED)
{
        assert_reads("a:\n  - 1\n  - b: |\n      x\n      y\n", "{\"a\":[1,{\"b\":\"x\\ny\\n\"}]}");
        assert_reads("{a: &x {b: 1}, c: *x, d: [*x]}",
                     "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":[{\"b\":1}]}");
        assert_reads("\xef\xbb\xbf{\"a\": \"\\u00e4\\/\\t\"}", "{\"a\":\"\xc3\xa4/\\t\"}");
        assert_reads("- &x 1\n- &x 2\n- *x\n", "[1,2,2]");
}

static void everything_knows_its_place(void **state PIPIT_UNUSED)
{
        struct sample sample;
        const struct scenario_value *a, *b;

        sample_init(&sample);
        a = sample_read(&sample, "x: 1\n\xc3\xa4:\n  - {b: 5}\n")->last;
        b = a->first->first;
        assert_int_equal(a->key_place.line, 2);
        assert_int_equal(a->key_place.column, 1);
        assert_int_equal(a->place.line, 3);
        assert_int_equal(a->place.column, 3);
        assert_int_equal(b->key_place.column, 6);
        assert_int_equal(b->place.column, 9);
        assert_string_equal(b->place.file, "t.yaml");
        sample_deinit(&sample);
}

static void what_is_no_value_is_refused_with_its_place(void **state PIPIT_UNUSED)
{
        assert_refuses("", "1:1: the file is empty");
        assert_refuses("a: 1\na: 2", "2:1: the key 'a' is there already");
        assert_refuses("\"a\": 1\n'a': 2", "2:1: the key 'a' is there already");
        assert_refuses("{[a]: 1}", "1:2: a key has to be a text");
        assert_refuses("a: !!binary x", "1:4: there are no tags here, but for !!str");
        assert_refuses("a: !!map {}", "1:4: there are no tags here, but for !!str");
        assert_refuses("[*a]", "1:2: there is no anchor '&a' before this");
        assert_refuses("&a [*a]", "1:5: there is no anchor '&a' before this");
        assert_refuses("\"a\\0b\"", "1:1: a text cannot hold a NUL");
        assert_refuses("a: 1\n---\na: 2", "2:1: a second document begins here; a file has one");
        assert_refuses("a\n\xff", "2:1: invalid leading UTF-8 octet");
}

static void nesting_is_bounded_through_aliases_too(void **state PIPIT_UNUSED)
{
        char yaml[512] = "";

        for (size_t i = 0; i < SCENARIO_DEPTH_MAX; i++)
                (void)strcat(yaml, "[");
        (void)strcat(yaml, "1");
        for (size_t i = 0; i < SCENARIO_DEPTH_MAX; i++)
                (void)strcat(yaml, "]");
        struct sample sample;

        sample_init(&sample);
        (void)sample_read(&sample, yaml);
        sample_deinit(&sample);

        (void)memmove(yaml + 1, yaml, strlen(yaml) + 1);
        yaml[0] = '[';
        (void)strcat(yaml, "]");
        assert_refuses(yaml, "1:101: this is nested too deeply");
        assert_refuses("- &a [[[[[[[[[[1]]]]]]]]]]\n"
                       "- &b [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
                       "- &c [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*b]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
                       "- [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*c]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
                       "4:36: this is nested too deeply");
}

static void a_json_file_is_strict(void **state PIPIT_UNUSED)
{
        struct sample sample;
        static const char json[] = "{\n \"a\": [1, 2.50],\n \"b\": \"\\ud83d\\ude00\"}";
        const struct scenario_value *value;

        sample_init(&sample);
        value = scenario_read("t.json", json, strlen(json), &sample.arena, &sample.problems);
        assert_non_null(value);
        assert_int_equal(value->first->last->place.line, 2);
        assert_int_equal(value->first->last->place.column, 11);
        assert_string_equal(value->first->last->text, "2.50");
        assert_string_equal(value->last->text, "\xf0\x9f\x98\x80");
        assert_null(scenario_read("t.json", "{a: 1}", 6, &sample.arena, &sample.problems));
        assert_string_equal(sample_first_problem(&sample),
                            "1:2: expected a name in double quotes, found 'a'");
        sample_deinit(&sample);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plain_scalars_are_those_of_the_core_schema),
                cmocka_unit_test(numbers_that_others_read_otherwise_are_refused),
                cmocka_unit_test(blocks_flows_and_aliases_are_read),
                cmocka_unit_test(everything_knows_its_place),
                cmocka_unit_test(what_is_no_value_is_refused_with_its_place),
                cmocka_unit_test(nesting_is_bounded_through_aliases_too),
                cmocka_unit_test(a_json_file_is_strict),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
