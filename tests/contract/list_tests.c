#include "tests/contract/harness.h"

#include <string.h>

#define N_USERS 25
#define PAGE    7

static void insert_many(struct fixture *fixture, struct user *ret_users, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                ret_users[i] = sample_user_number(i);
                assert_ok(do_insert(fixture, &ret_users[i], NULL));
        }
}

static void an_empty_store_lists_nothing(void **state)
{
        struct user user;

        assert_int_equal(do_list(*state, NULL, 1, &user), 0);
        assert_int_equal(do_list(*state, NULL, 0, &user), 0);
}

static void list_goes_by_id_and_stops_at_the_limit(void **state)
{
        struct user users[N_USERS], listed[N_USERS + 1];

        insert_many(*state, users, N_USERS);
        assert_int_equal(do_list(*state, NULL, N_USERS + 1, listed), N_USERS);
        for (size_t i = 0; i < N_USERS; i++)
                assert_users_equal(&listed[i], &users[i]);
        assert_int_equal(do_list(*state, NULL, 3, listed), 3);
        assert_int_equal(do_list(*state, NULL, N_USERS, listed), N_USERS);
}

static void list_writes_no_more_than_it_counts(void **state)
{
        struct user users[3], listed[4], untouched;

        memset(&untouched, 0xa5, sizeof(untouched));
        memset(listed, 0xa5, sizeof(listed));
        insert_many(*state, users, 3);
        assert_int_equal(do_list(*state, NULL, 2, listed), 2);
        assert_memory_equal(&listed[2], &untouched, sizeof(untouched));
        assert_int_equal(do_list(*state, NULL, 4, listed), 3);
        assert_memory_equal(&listed[3], &untouched, sizeof(untouched));
}

static void ids_sort_as_unsigned_bytes(void **state)
{
        static const uint8_t first_bytes[] = {0x80, 0x00, 0xff, 0x7f};
        static const uint8_t sorted[] = {0x00, 0x7f, 0x80, 0xff};
        struct user listed[4];

        for (unsigned i = 0; i < PIPIT_N_ELEMENTS(first_bytes); i++) {
                struct user user = sample_user_number(i);

                user.id.bytes[0] = first_bytes[i];
                assert_ok(do_insert(*state, &user, NULL));
        }
        assert_int_equal(do_list(*state, NULL, 4, listed), 4);
        for (size_t i = 0; i < PIPIT_N_ELEMENTS(sorted); i++)
                assert_int_equal(listed[i].id.bytes[0], sorted[i]);
}

static void a_page_may_start_after_an_id_that_is_gone(void **state)
{
        struct user users[3], listed[3];
        struct pipit_uuid after;

        insert_many(*state, users, 3);
        after = users[1].id;
        assert_ok(do_delete(*state, &after, 0));
        assert_int_equal(do_list(*state, &after, 3, listed), 1);
        assert_same_id(listed[0].id, users[2].id);
        assert_int_equal(do_list(*state, &users[2].id, 3, listed), 0);
        memset(&after, 0xff, sizeof(after));
        assert_int_equal(do_list(*state, &after, 3, listed), 0);
        memset(&after, 0, sizeof(after));
        assert_int_equal(do_list(*state, &after, 3, listed), 2);
}

static size_t find_in(const struct user *users, size_t n, const struct pipit_uuid *id)
{
        for (size_t i = 0; i < n; i++) {
                if (memcmp(&users[i].id, id, sizeof(*id)) == 0)
                        return i;
        }
        return n;
}

/* Between pages one user that was seen and one that was not go, and a new one comes. */
static void who_stays_from_first_page_to_last_is_seen_once(void **state)
{
        struct user users[N_USERS], page[PAGE];
        unsigned seen[N_USERS] = {0}, gone[N_USERS] = {0}, round = 0;
        struct pipit_uuid after;
        size_t n;

        insert_many(*state, users, N_USERS);
        n = do_list(*state, NULL, PAGE, page);
        while (n > 0) {
                struct user comer = sample_user_number(1000 + round);
                unsigned leavers[] = {round, N_USERS - 1 - round};

                for (size_t i = 0; i < n; i++) {
                        size_t which = find_in(users, N_USERS, &page[i].id);

                        if (which < N_USERS)
                                seen[which]++;
                }
                after = page[n - 1].id;
                for (size_t i = 0; i < 2; i++) {
                        assert_ok(do_delete(*state, &users[leavers[i]].id, 0));
                        gone[leavers[i]] = 1;
                }
                assert_ok(do_insert(*state, &comer, NULL));
                n = ++round < 6 ? do_list(*state, &after, PAGE, page) : 0;
        }
        for (size_t i = 0; i < N_USERS; i++) {
                assert_true(seen[i] <= 1);
                assert_true(gone[i] || seen[i] == 1);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_store_lists_nothing),
        cmocka_unit_test(list_goes_by_id_and_stops_at_the_limit),
        cmocka_unit_test(list_writes_no_more_than_it_counts),
        cmocka_unit_test(ids_sort_as_unsigned_bytes),
        cmocka_unit_test(a_page_may_start_after_an_id_that_is_gone),
        cmocka_unit_test(who_stays_from_first_page_to_last_is_seen_once),
};

const struct test_table list_tests = {tests, PIPIT_N_ELEMENTS(tests)};
