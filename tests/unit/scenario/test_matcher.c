#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "tests/unit/scenario/sample.h"
#include "tools/cli/scenario/matcher.h"

/* The first mismatch as text, "" for none. @got may be NULL. */
static const char *mismatch_of(struct sample *sample, const char *expected, const char *got)
{
        struct scenario_mismatches mismatches = {.arena = &sample->arena};
        const struct scenario_value *one = sample_read(sample, expected);
        const struct scenario_value *two = got ? sample_read(sample, got) : NULL;
        bool ok = scenario_match(one, two, "$", &mismatches);

        assert_true(ok == (mismatches.n == 0));
        assert_true(ok == scenario_match(one, two, "$", NULL));
        return ok ? "" : mismatches.first->problem;
}

static void assert_mismatch(const char *expected, const char *got, const char *problem)
{
        struct sample sample;

        sample_init(&sample);
        assert_string_equal(mismatch_of(&sample, expected, got), problem);
        sample_deinit(&sample);
}

static void assert_match(const char *expected, const char *got)
{
        assert_mismatch(expected, got, "");
}

static void scalars_match_what_is_the_same(void **state PIPIT_UNUSED)
{
        assert_match("a", "a");
        assert_match("true", "true");
        assert_match("5", "5.0");
        assert_match("5e0", "5");
        assert_match("1.5", "1.5");
        assert_mismatch("a", "b", "$ is \"b\", expected \"a\"");
        assert_mismatch("true", "false", "$ is false, expected true");
        assert_mismatch("1.5", "1.6", "$ is 1.6, expected 1.5");
        assert_mismatch("[]", "{}", "$ is {}, expected []");
        assert_mismatch("{}", "[]", "$ is [], expected {}");
        assert_mismatch("true", "'true'", "$ is \"true\", expected true");
        assert_mismatch("a", NULL, "$ is not there, expected \"a\"");
}

static void integers_of_64_bits_are_exact_as_texts_too(void **state PIPIT_UNUSED)
{
        assert_match("9007199254740993", "'9007199254740993'");
        assert_match("'9007199254740993'", "9007199254740993");
        assert_match("18446744073709551615", "'18446744073709551615'");
        assert_match("-9223372036854775808", "'-9223372036854775808'");
        assert_mismatch("9007199254740992",
                        "'9007199254740993'",
                        "$ is \"9007199254740993\", expected 9007199254740992");
        assert_mismatch("'1.0'", "'1'", "$ is \"1\", expected \"1.0\"");
        assert_match("{$min: 18446744073709551614}", "'18446744073709551615'");
        assert_mismatch("{$max: 18446744073709551614}",
                        "'18446744073709551615'",
                        "$ is \"18446744073709551615\", expected at most 18446744073709551614");
        assert_match("{$min: -1}", "18446744073709551615");
}

static void objects_match_by_a_subset(void **state PIPIT_UNUSED)
{
        assert_match("{}", "{a: 1}");
        assert_match("{a: 1}", "{b: 2, a: 1}");
        assert_match("{a: {b: [1]}}", "{a: {b: [1], c: 2}}");
        assert_match("{$$a: 1}", "{$a: 1}");
        assert_mismatch("{a: {b: 1}}", "{a: {c: 1}}", "$.a.b is not there, expected 1");
}

static void arrays_match_in_full(void **state PIPIT_UNUSED)
{
        assert_match("[]", "[]");
        assert_match("[1, {a: 2}]", "[1, {a: 2, b: 3}]");
        assert_mismatch("[1]", "[1, 2]", "$ has 2 elements, expected 1");
        assert_mismatch("[1, 2]", "[2, 1]", "$[0] is 2, expected 1");
}

static void presence_is_told(void **state PIPIT_UNUSED)
{
        assert_match("null", NULL);
        assert_match("null", "null");
        assert_match("{a: null}", "{}");
        assert_match("{a: {$absent: true}}", "{}");
        assert_match("{a: {$present: false}}", "{}");
        assert_match("{a: {$present: true}}", "{a: ''}");
        assert_match("{a: {$absent: false}}", "{a: 0}");
        assert_match("{a: {$any: true}}", "{a: null}");
        assert_mismatch("{a: {$any: true}}", "{}", "$.a is not there, expected anything");
        assert_mismatch("{a: null}", "{a: 1}", "$.a is 1, expected to be absent");
        assert_mismatch("{a: {$absent: true}}", "{a: 1}", "$.a is 1, expected to be absent");
        assert_mismatch("{a: {$present: true}}", "{}", "$.a is not there, expected to be set");
}

static void a_default_is_there_and_absent(void **state PIPIT_UNUSED)
{
        struct sample sample;
        struct scenario_value *got;

        sample_init(&sample);
        got = sample_read(&sample, "{a: ''}");
        got->first->is_default = true;
        assert_true(scenario_match(sample_read(&sample, "{a: ''}"), got, "$", NULL));
        assert_true(scenario_match(sample_read(&sample, "{a: null}"), got, "$", NULL));
        assert_true(scenario_match(sample_read(&sample, "{a: {$absent: true}}"), got, "$", NULL));
        assert_true(scenario_match(sample_read(&sample, "{$exact: {}}"), got, "$", NULL));
        assert_false(scenario_match(sample_read(&sample, "{a: {$present: true}}"), got, "$", NULL));
        sample_deinit(&sample);
}

static void texts_are_matched_by_their_matchers(void **state PIPIT_UNUSED)
{
        assert_match("{$regex: '^a+$'}", "aaa");
        assert_match("{$regex: '^[0-9]$'}", "5");
        assert_mismatch("{$regex: '^a$'}", "aa", "$ is \"aa\", expected a match of \"^a$\"");
        assert_mismatch("{$regex: a}", NULL, "$ is not there, expected text that matches \"a\"");
        assert_match("{$contains: bc}", "abcd");
        assert_mismatch(
                "{$contains: bd}", "abcd", "$ is \"abcd\", expected text that holds \"bd\"");
        assert_match("{$length: 2}", "\xc3\xa4\xf0\x9f\x98\x80");
        assert_match("{$regex: a, $not: {$contains: b}}", "cac");
        assert_mismatch("{$regex: a, $not: {$contains: b}}",
                        "ab",
                        "$ is \"ab\", expected anything but {\"$contains\":\"b\"}");
}

static void lengths_and_ranges_hold_their_bounds(void **state PIPIT_UNUSED)
{
        assert_match("{$length: 0}", "[]");
        assert_match("{$length: {$min: 1, $max: 2}}", "{a: 1, b: 2}");
        assert_mismatch(
                "{$length: {$max: 1}}", "[1, 2]", "$ has the length 2, expected {\"$max\":1}");
        assert_mismatch("{$length: 1}", "5", "$ is 5, which has no length");
        assert_match("{$range: [1, 3]}", "1");
        assert_match("{$range: [1, 3]}", "3");
        assert_mismatch("{$range: [1, 3]}", "3.5", "$ is 3.5, expected a number in [1,3]");
        assert_mismatch("{$range: [1, 3]}", "a", "$ is \"a\", expected a number in [1,3]");
        assert_mismatch("{$min: 2}", "1", "$ is 1, expected at least 2");
}

static void elements_are_paired_each_with_one_of_its_own(void **state PIPIT_UNUSED)
{
        assert_match("{$contains: [2, 1]}", "[1, 2, 3]");
        assert_match("{$contains: []}", "[]");
        assert_match("{$contains: [{$any: true}, {$min: 2}, 3]}", "[3, 2, 1]");
        assert_match("{$unordered: [{$min: 1}, {$min: 2}, {$min: 3}]}", "[3, 2, 1]");
        assert_mismatch("{$contains: [1, 1]}", "[1, 2]", "$ is [1,2], expected an element as 1");
        assert_mismatch("{$unordered: [1]}", "[1, 2]", "$ is [1,2], expected in any order [1]");
        assert_mismatch("{$contains: [1]}", "1", "$ is 1, expected a list that has [1]");
        assert_match("{$each: {a: {$min: 1}}}", "[{a: 1}, {a: 2, b: 1}]");
        assert_match("{$each: 1}", "[]");
        assert_mismatch("{$each: {a: 1}}", "[{a: 1}, {}]", "$[1].a is not there, expected 1");
}

static void alternatives_and_exactness_are_matched(void **state PIPIT_UNUSED)
{
        assert_match("{$one_of: [1, a, {b: 2}]}", "{b: 2, c: 3}");
        assert_mismatch("{$one_of: [1, a]}", "2", "$ is 2, expected one of [1,\"a\"]");
        assert_match("{$one_of: [null, 1]}", NULL);
        assert_match("{$not: 1}", NULL);
        assert_match("{$exact: {a: 1}}", "{a: 1}");
        assert_mismatch("{$exact: {a: 1}}", "{a: 1, b: 2}", "$.b is 2, expected no such member");
        assert_mismatch("{$exact: {a: 1}}", "{b: 2}", "$.a is not there, expected 1");
}

static void mismatches_are_counted_but_not_kept_without_end(void **state PIPIT_UNUSED)
{
        struct sample sample;
        struct scenario_mismatches mismatches = {.arena = NULL};
        struct scenario_value *expected, *got;
        size_t n = 0;

        sample_init(&sample);
        mismatches.arena = &sample.arena;
        expected = scenario_value_new(&sample.arena, PIPIT_JSON_ARRAY);
        got = scenario_value_new(&sample.arena, PIPIT_JSON_ARRAY);
        for (size_t i = 0; i < 3 * SCENARIO_MISMATCHES_MAX; i++) {
                scenario_value_append(expected, NULL, scenario_number_new(&sample.arena, "1"));
                scenario_value_append(got, NULL, scenario_number_new(&sample.arena, "2"));
        }
        assert_false(scenario_match(expected, got, "$", &mismatches));
        for (const struct scenario_mismatch *one = mismatches.first; one; one = one->next)
                n++;
        assert_int_equal(n, SCENARIO_MISMATCHES_MAX);
        assert_int_equal(mismatches.n, 3 * SCENARIO_MISMATCHES_MAX);
        sample_deinit(&sample);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(scalars_match_what_is_the_same),
                cmocka_unit_test(integers_of_64_bits_are_exact_as_texts_too),
                cmocka_unit_test(objects_match_by_a_subset),
                cmocka_unit_test(arrays_match_in_full),
                cmocka_unit_test(presence_is_told),
                cmocka_unit_test(a_default_is_there_and_absent),
                cmocka_unit_test(texts_are_matched_by_their_matchers),
                cmocka_unit_test(lengths_and_ranges_hold_their_bounds),
                cmocka_unit_test(elements_are_paired_each_with_one_of_its_own),
                cmocka_unit_test(alternatives_and_exactness_are_matched),
                cmocka_unit_test(mismatches_are_counted_but_not_kept_without_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
