#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/rules.h"
#include "tests/unit/access/fixture.h"

static const uint8_t *key_of(unsigned int number)
{
        static uint8_t key[PIPIT_KEY_BYTES];

        assert_null(pipit_key_parse(
                PIPIT_KEY_PUBLIC, key_text(number), PIPIT_KEY_TEXT_BYTES, key, NULL));
        return key;
}

/* One key, the one with number 1, and what stands behind it on its line. */
static struct pipit_rules *make(const char *policy_text,
                                const char *behind,
                                struct pipit_access_problem *problem)
{
        char keys_text[256];
        struct pipit_policy *policy =
                pipit_policy_parse("policy", policy_text, strlen(policy_text), NULL, problem);
        struct pipit_authorized_keys *keys;

        (void)snprintf(keys_text, sizeof(keys_text), "%s %s\n", key_text(1), behind);
        keys = pipit_authorized_keys_parse("keys", keys_text, strlen(keys_text), problem);
        assert_non_null(policy);
        assert_non_null(keys);

        return pipit_rules_new(policy, keys, "keys", problem);
}

static void a_listed_key_is_a_caller_until_its_day(void **state)
{
        const int64_t day = INT64_C(1798761600000000); /* 2027-01-01 */
        const struct pipit_authorized_key *listed;
        struct pipit_access_caller caller = {.kind = PIPIT_ACCESS_ANONYMOUS};
        struct pipit_access_problem problem;
        struct pipit_rules *rules =
                make("role admin = *", "alice roles=admin expires=2027-01-01", &problem);

        (void)state;
        assert_non_null(rules);
        assert_false(pipit_rules_identify(rules, key_of(2), 0, &caller, &listed));
        assert_null(listed);
        assert_false(pipit_rules_identify(rules, key_of(1), day, &caller, &listed));
        assert_string_equal(listed->name, "alice");
        assert_int_equal(caller.kind, PIPIT_ACCESS_ANONYMOUS);
        assert_true(pipit_rules_identify(rules, key_of(1), day - 1, &caller, &listed));
        assert_int_equal(caller.kind, PIPIT_ACCESS_KEY);
        assert_string_equal(caller.name, "alice");
        assert_int_equal(caller.n_roles, 1);
        pipit_rules_unref(rules);
}

static void without_keys_nobody_is_known(void **state)
{
        struct pipit_access_problem problem;
        const struct pipit_authorized_key *listed;
        struct pipit_access_caller caller;
        struct pipit_rules *rules =
                pipit_rules_new(pipit_policy_new_default(0, false), NULL, "", &problem);

        (void)state;
        assert_false(pipit_rules_identify(rules, key_of(1), 0, &caller, &listed));
        pipit_rules_unref(rules);
}

static void a_role_that_the_policy_does_not_define_is_refused(void **state)
{
        struct pipit_access_problem problem;

        (void)state;
        assert_null(make("role admin = *", "alice roles=admin,amdin", &problem));
        assert_string_equal(problem.text,
                            "keys:1: alice has the role amdin, which policy does not define: add a "
                            "line `role amdin = METHOD...` there");
}

static void a_swap_raises_the_generation_and_old_rules_live_while_used(void **state)
{
        struct pipit_access_problem problem;
        struct pipit_rules *first = make("role r = *", "alice", &problem), *used;
        struct pipit_rules_holder holder;

        (void)state;
        assert_true(pipit_rules_holder_init(&holder, first));
        assert_int_equal(pipit_rules_holder_generation(&holder), 1);
        used = pipit_rules_holder_get(&holder);
        assert_ptr_equal(used, first);
        pipit_rules_holder_swap(&holder, make("role s = *", "bob", &problem));
        assert_int_equal(pipit_rules_holder_generation(&holder), 2);
        assert_int_equal(used->generation, 1);
        assert_true(pipit_policy_has_role(used->policy, "r"));
        pipit_rules_unref(used);
        used = pipit_rules_holder_get(&holder);
        assert_int_equal(used->generation, 2);
        assert_true(pipit_policy_has_role(used->policy, "s"));
        pipit_rules_unref(used);
        pipit_rules_holder_deinit(&holder);
}

/* --- threads ------------------------------------------------------------------------------ */

struct reader {
        struct pipit_rules_holder *holder;
        bool ok;
};

/* Whoever sees a policy sees its own keys: here both are told by one name. */
static void *read_rules(void *argument)
{
        struct reader *reader = argument;

        for (size_t i = 0; i < 2000; i++) {
                uint64_t at_least = pipit_rules_holder_generation(reader->holder);
                struct pipit_rules *rules = pipit_rules_holder_get(reader->holder);
                const char *name = pipit_authorized_keys_get(rules->keys, 0)->name;

                reader->ok = reader->ok && rules->generation >= at_least &&
                             pipit_policy_has_role(rules->policy, name);
                pipit_rules_unref(rules);
        }

        return NULL;
}

static void readers_see_policy_and_keys_that_belong_together(void **state)
{
        struct pipit_access_problem problem;
        struct pipit_rules_holder holder;
        struct reader readers[3];
        pthread_t threads[3];

        (void)state;
        assert_true(pipit_rules_holder_init(&holder, make("role one = *", "one", &problem)));
        for (size_t i = 0; i < 3; i++) {
                readers[i] = (struct reader){.holder = &holder, .ok = true};
                assert_int_equal(pthread_create(&threads[i], NULL, read_rules, &readers[i]), 0);
        }
        for (size_t i = 0; i < 200; i++)
                pipit_rules_holder_swap(&holder,
                                        i % 2 ? make("role one = *", "one", &problem)
                                              : make("role two = *", "two", &problem));
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_true(readers[i].ok);
        }
        assert_int_equal(pipit_rules_holder_generation(&holder), 201);
        pipit_rules_holder_deinit(&holder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_listed_key_is_a_caller_until_its_day),
                cmocka_unit_test(without_keys_nobody_is_known),
                cmocka_unit_test(a_role_that_the_policy_does_not_define_is_refused),
                cmocka_unit_test(a_swap_raises_the_generation_and_old_rules_live_while_used),
                cmocka_unit_test(readers_see_policy_and_keys_that_belong_together),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
