#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/macros.h"
#include "tests/unit/scenario/sample.h"
#include "tools/cli/scenario/model.h"

static struct scenario_file *file_of(struct sample *sample, const char *yaml)
{
        return scenario_file_new(
                "t.yaml", sample_read(sample, yaml), &sample->arena, &sample->problems);
}

static const char *expected_of(struct sample *sample, const char *expect)
{
        const char *yaml = pipit_arena_printf(
                &sample->arena, "scenarios: [{name: a, steps: [{call: b, expect: %s}]}]", expect);
        const struct scenario_file *file = file_of(sample, yaml);

        assert_string_equal(sample_first_problem(sample), "");
        return scenario_value_json(file->scenarios->steps->outcomes->expected, &sample->arena);
}

static void a_file_becomes_its_scenarios_and_steps(void **state PIPIT_UNUSED)
{
        struct sample sample;
        const struct scenario_file *file;
        const struct scenario_step *step;

        sample_init(&sample);
        file = file_of(&sample,
                       "timeout: 1.5s\n"
                       "on_failure: continue\n"
                       "setup: [{call: s}]\n"
                       "scenarios:\n"
                       "  - name: one\n"
                       "    steps:\n"
                       "      - {call: a, parallel: 2, repeat: 3, wait_for_ready: true}\n"
                       "      - {call: b, repeat: 9, every: 2ms, until: {status: OK}}\n"
                       "  - {name: two, on_failure: stop, steps: [{call: c}]}\n");
        assert_string_equal(sample_first_problem(&sample), "");
        assert_int_equal(file->settings.timeout_ms, 1500);
        assert_string_equal(file->setup->call->text, "s");
        assert_true(file->scenarios->goes_on);
        assert_false(file->scenarios->next->goes_on);
        step = file->scenarios->steps;
        assert_int_equal(step->n_parallel, 2);
        assert_int_equal(step->n_repeat, 3);
        assert_true(step->settings.wait_for_ready);
        assert_int_equal(step->next->every_ms, 2);
        assert_non_null(step->next->until);
        assert_null(step->next->next);
        assert_int_equal(step->place.line, 7);
        sample_deinit(&sample);
}

static void expectations_are_spelt_out(void **state PIPIT_UNUSED)
{
        static const struct {
                const char *short_form;
                const char *expected;
        } cases[] = {
                {"{}", "{\"status\":\"OK\"}"},
                {"{response: {a: 1}}", "{\"status\":\"OK\",\"response\":{\"a\":1}}"},
                {"{reason: X}", "{\"status\":{\"$not\":\"OK\"},\"reason\":\"X\"}"},
                {"{ran: ran, status: ABORTED}", "{\"status\":\"ABORTED\",\"ran\":\"ran\"}"},
                {"{within: 2s}", "{\"status\":\"OK\",\"duration_ms\":{\"$max\":2000}}"},
                {"{status: ABORTED, violations: [a, {field: b}]}",
                 "{\"status\":\"ABORTED\",\"violations\":[{\"field\":\"a\"},{\"field\":\"b\"}]}"},
                {"{status: ABORTED, violations: {$contains: [a], $not: {$contains: [b]}}}",
                 "{\"status\":\"ABORTED\",\"violations\":{\"$contains\":[{\"field\":\"a\"}],"
                 "\"$not\":{\"$contains\":[{\"field\":\"b\"}]}}}"},
                {"[{times: 2, status: OK}]", "{\"status\":\"OK\"}"},
        };
        struct sample sample;

        sample_init(&sample);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++)
                assert_string_equal(expected_of(&sample, cases[i].short_form), cases[i].expected);
        sample_deinit(&sample);
}

static void a_step_without_an_expectation_expects_ok(void **state PIPIT_UNUSED)
{
        struct sample sample;
        const struct scenario_file *file;

        sample_init(&sample);
        file = file_of(&sample, "scenarios: [{name: a, steps: [{call: b}]}]");
        assert_string_equal(
                scenario_value_json(file->scenarios->steps->outcomes->expected, &sample.arena),
                "{\"status\":\"OK\"}");
        sample_deinit(&sample);
}

static void problems_are_in_the_order_of_the_file_and_there_once(void **state PIPIT_UNUSED)
{
        struct sample sample;
        const struct scenario_problem *problem;
        const struct scenario_place three = {"t", 3, 1}, one = {"t", 1, 9}, two = {"t", 1, 10};

        sample_init(&sample);
        scenario_problems_add(&sample.problems, &three, "%s", "third");
        scenario_problems_add(&sample.problems, &one, "%s", "first");
        scenario_problems_add(&sample.problems, &two, "%s", "second");
        scenario_problems_add(&sample.problems, &one, "%s", "first");
        assert_int_equal(sample.problems.n, 3);
        problem = sample.problems.first;
        assert_string_equal(problem->text, "first");
        assert_string_equal(problem->next->text, "second");
        assert_string_equal(problem->next->next->text, "third");
        sample_deinit(&sample);
}

static void durations_have_a_unit_and_bounds(void **state PIPIT_UNUSED)
{
        static const struct {
                const char *text;
                uint32_t ms; /* 0: refused */
        } cases[] = {{"500ms", 500},
                     {"2s", 2000},
                     {"0.5s", 500},
                     {"1m", 60000},
                     {"60s", 60000},
                     {"61s", 0},
                     {"0s", 0},
                     {"5", 0},
                     {"'5'", 0},
                     {".5s", 0},
                     {"1.2.3s", 0},
                     {"1e3ms", 0},
                     {"-1s", 0},
                     {"5 s", 0},
                     {"99999999999999999999s", 0}};

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(cases); i++) {
                struct sample sample;
                const struct scenario_file *file;

                sample_init(&sample);
                file = file_of(&sample,
                               pipit_arena_printf(&sample.arena,
                                                  "{timeout: %s, scenarios: [{name: a, steps: "
                                                  "[{call: b}]}]}",
                                                  cases[i].text));
                assert_int_equal(file->settings.timeout_ms, cases[i].ms);
                assert_int_equal(sample.problems.n, cases[i].ms == 0 ? 1 : 0);
                sample_deinit(&sample);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_becomes_its_scenarios_and_steps),
                cmocka_unit_test(expectations_are_spelt_out),
                cmocka_unit_test(a_step_without_an_expectation_expects_ok),
                cmocka_unit_test(problems_are_in_the_order_of_the_file_and_there_once),
                cmocka_unit_test(durations_have_a_unit_and_bounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
