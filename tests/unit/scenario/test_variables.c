#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "tests/unit/scenario/sample.h"
#include "tools/cli/scenario/path.h"
#include "tools/cli/scenario/variables.h"

struct fixture {
        struct sample sample;
        struct scenario_scope overrides, file, scenario;
};

static void fixture_init(struct fixture *fixture)
{
        *fixture = (struct fixture){0};
        sample_init(&fixture->sample);
        fixture->overrides.arena = &fixture->sample.arena;
        fixture->file.arena = &fixture->sample.arena;
        fixture->file.outer = &fixture->overrides;
        fixture->file.unique = "outside";
        fixture->scenario.arena = &fixture->sample.arena;
        fixture->scenario.outer = &fixture->file;
}

static void set(struct fixture *fixture, struct scenario_scope *scope, const char *yaml)
{
        assert_true(scenario_scope_set_all(
                scope, sample_read(&fixture->sample, yaml), &fixture->sample.problems));
}

static const char *resolved(struct fixture *fixture, const char *yaml)
{
        const struct scenario_value *value = scenario_resolve(sample_read(&fixture->sample, yaml),
                                                              &fixture->scenario,
                                                              &fixture->sample.arena,
                                                              &fixture->sample.problems);

        return value ? scenario_value_json(value, &fixture->sample.arena)
                     : sample_first_problem(&fixture->sample);
}

static void a_whole_text_becomes_the_value_and_a_part_its_text(void **state PIPIT_UNUSED)
{
        struct fixture fixture;

        fixture_init(&fixture);
        set(&fixture, &fixture.file, "{n: 5, t: a, o: {x: [1]}, b: true, z: null}");
        assert_string_equal(resolved(&fixture, "['${n}', '${t}', '${o}', '${b}', '${z}']"),
                            "[5,\"a\",{\"x\":[1]},true,null]");
        assert_string_equal(resolved(&fixture, "'${n}${t}-${o} ${b}'"),
                            "\"5a-{\\\"x\\\":[1]} true\"");
        assert_string_equal(resolved(&fixture, "{a: ['$${n}', '$$ ${n}$']}"),
                            "{\"a\":[\"${n}\",\"$$ 5$\"]}");
        sample_deinit(&fixture.sample);
}

static void the_inner_scope_goes_first_and_overrides_before_all(void **state PIPIT_UNUSED)
{
        struct fixture fixture;

        fixture_init(&fixture);
        set(&fixture, &fixture.file, "{a: file, b: file, c: file}");
        set(&fixture, &fixture.scenario, "{b: scenario, c: '${b}-${a}'}");
        assert_string_equal(resolved(&fixture, "'${a} ${b} ${c}'"),
                            "\"file scenario scenario-file\"");
        set(&fixture, &fixture.overrides, "{b: set}");
        assert_string_equal(resolved(&fixture, "'${a} ${b}'"), "\"file set\"");
        assert_true(scenario_scope_own(&fixture.overrides, "b")->is_used);
        sample_deinit(&fixture.sample);
}

static void builtins_are_what_they_say(void **state PIPIT_UNUSED)
{
        struct fixture fixture;

        fixture_init(&fixture);
        assert_string_equal(resolved(&fixture, "['${unique}', '${index}']"), "[\"outside\",0]");
        fixture.scenario.unique = "inside";
        fixture.scenario.has_index = true;
        fixture.scenario.index = 7;
        assert_string_equal(resolved(&fixture, "['${unique}', '${index}']"), "[\"inside\",7]");
        assert_string_not_equal(resolved(&fixture, "'${uuid}'"), resolved(&fixture, "'${uuid}'"));
        assert_int_equal(strlen(resolved(&fixture, "'${uuid}'")), 38);
        assert_int_equal(strlen(resolved(&fixture, "'${now}'")), 29);
        assert_string_not_equal(scenario_unique_new(&fixture.sample.arena),
                                scenario_unique_new(&fixture.sample.arena));
        sample_deinit(&fixture.sample);
}

static void what_is_not_known_yet_makes_unknown_what_needs_it(void **state PIPIT_UNUSED)
{
        struct fixture fixture;
        const struct scenario_value *value;

        fixture_init(&fixture);
        assert_true(scenario_scope_set_unknown(&fixture.scenario, "later"));
        value = scenario_resolve(sample_read(&fixture.sample, "['${later}', 'x${later}', y]"),
                                 &fixture.scenario,
                                 &fixture.sample.arena,
                                 &fixture.sample.problems);
        assert_non_null(value);
        assert_true(value->first->is_unknown);
        assert_true(value->first->next->is_unknown);
        assert_false(value->last->is_unknown);
        sample_deinit(&fixture.sample);
}

static void wrong_variables_are_told(void **state PIPIT_UNUSED)
{
        static const struct {
                const char *yaml;
                const char *problem;
        } cases[] = {
                {"a: '${nme}'",
                 "1:4: nothing before this gives the variable 'nme'; did you mean name?"},
                {"a: '${xyzzy}'", "1:4: nothing before this gives the variable 'xyzzy'"},
                {"a: '${name'", "1:4: '${name' begins no variable, as ${name}; $${ stands for ${"},
                {"a: 'x ${}'", "1:4: '${}' begins no variable, as ${name}; $${ stands for ${"},
        };

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++) {
                struct fixture fixture;

                fixture_init(&fixture);
                fixture.sample.problems.arena = &fixture.sample.arena;
                set(&fixture, &fixture.file, "{name: 1}");
                assert_string_equal(resolved(&fixture, cases[i].yaml), cases[i].problem);
                sample_deinit(&fixture.sample);
        }
}

static void names_of_variables_are_checked(void **state PIPIT_UNUSED)
{
        assert_true(scenario_is_variable_name("a"));
        assert_true(scenario_is_variable_name("_a-B9"));
        assert_false(scenario_is_variable_name(""));
        assert_false(scenario_is_variable_name("9a"));
        assert_false(scenario_is_variable_name("-a"));
        assert_false(scenario_is_variable_name("a b"));
        assert_true(scenario_is_builtin("now"));
        assert_false(scenario_is_builtin("nov"));
}

static void paths_lead_to_members_and_elements(void **state PIPIT_UNUSED)
{
        static const struct {
                const char *path;
                const char *json; /* NULL: nothing there */
        } cases[] = {
                {"$", "{\"a\":[{\"b\":1},{\"b\":2}],\"x y\":{\".\":3}}"},
                {"$.a", "[{\"b\":1},{\"b\":2}]"},
                {"$.a[0].b", "1"},
                {"$.a[-1].b", "2"},
                {"$[\"a\"][1]['b']", "2"},
                {"$[\"x y\"][\".\"]", "3"},
                {"$.a[2]", NULL},
                {"$.a[-3]", NULL},
                {"$.b", NULL},
                {"$[0]", NULL},
                {"$.a.b", NULL},
        };
        struct sample sample;
        const struct scenario_value *value;

        sample_init(&sample);
        value = sample_read(&sample, "{a: [{b: 1}, {b: 2}], 'x y': {'.': 3}}");
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++) {
                struct scenario_path path;
                const struct scenario_value *part;
                const char *problem;

                assert_true(scenario_path_parse(cases[i].path, &sample.arena, &path, &problem));
                part = scenario_path_get(&path, value);
                if (cases[i].json)
                        assert_string_equal(scenario_value_json(part, &sample.arena),
                                            cases[i].json);
                else
                        assert_null(part);
        }
        sample_deinit(&sample);
}

static void what_is_no_path_is_refused(void **state PIPIT_UNUSED)
{
        static const char *const wrong[] = {"",
                                            "a",
                                            "a.b",
                                            "$a",
                                            "$.",
                                            "$..a",
                                            "$[",
                                            "$[]",
                                            "$[a]",
                                            "$[1",
                                            "$['a]",
                                            "$.a[1]b",
                                            "$[1234567890]",
                                            "$[--1]"};
        struct sample sample;

        sample_init(&sample);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(wrong); i++) {
                struct scenario_path path;
                const char *problem;

                assert_false(scenario_path_parse(wrong[i], &sample.arena, &path, &problem));
                assert_string_equal(problem, "is no path, as $, $.id or $.users[0].id");
        }
        sample_deinit(&sample);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_text_becomes_the_value_and_a_part_its_text),
                cmocka_unit_test(the_inner_scope_goes_first_and_overrides_before_all),
                cmocka_unit_test(builtins_are_what_they_say),
                cmocka_unit_test(what_is_not_known_yet_makes_unknown_what_needs_it),
                cmocka_unit_test(wrong_variables_are_told),
                cmocka_unit_test(names_of_variables_are_checked),
                cmocka_unit_test(paths_lead_to_members_and_elements),
                cmocka_unit_test(what_is_no_path_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
