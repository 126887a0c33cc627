/*
 * Two servers on one database, each with thousands of writes at once to the same
 * few users: updates, deletes, emails that change hands, with and without a
 * request_id. All of it ends, and nothing that was told is a lie.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/postgres/side.h"

enum { N_USERS = 40, N_EMAILS = 60, N_CALLS = 6000 };

enum what { UPDATE_AGE, UPDATE_EMAIL, DELETE, INSERT, N_WHATS };

static unsigned next_random(unsigned *seed)
{
        *seed = *seed * 1664525U + 1013904223U;
        return *seed >> 8;
}

static void set_email(struct user *user, unsigned number)
{
        (void)snprintf(user->email, sizeof(user->email), "Holder%u@example.com", number);
        (void)snprintf(user->email_key, sizeof(user->email_key), "holder%u@example.com", number);
}

/* Every fourth write is sent twice under one request_id, once to each server. */
static bool has_twin(size_t i)
{
        return i % 4 == 0;
}

static void prepare(struct call *call, enum what what, size_t i, unsigned *seed)
{
        call->changes =
                (struct users_changes){.age = what == UPDATE_AGE, .email = what == UPDATE_EMAIL};
        call->in.age = next_random(seed) % 100;
        if (what == UPDATE_EMAIL || what == INSERT)
                set_email(&call->in, next_random(seed) % N_EMAILS);
        call->request.deadline_us = pipit_clock_now_us() + 50 * PIPIT_US_PER_S;
        if (!has_twin(i))
                return;
        call->write = logged_write("uid:1", 0, 1);
        memcpy(call->write.request_id, &i, sizeof(i));
}

static void submit(struct users_repository *repository, struct call *call, enum what what)
{
        if (what == INSERT)
                call_insert(repository, call);
        else if (what == DELETE)
                call_delete(repository, call);
        else
                call_update(repository, call);
}

/* What may be said of such a write: never that it is not known, or was not run. */
static void check_outcome(const struct call *call, enum what what)
{
        struct pipit_error error = call->request.error;

        assert_int_equal(atomic_load(&call->n_done), 1);
        if (error.status == PIPIT_OK)
                return;
        assert_int_equal(error.ran, PIPIT_RAN);
        assert_non_null(error.reason);
        if (what != INSERT && strcmp(error.reason, "USER_NOT_FOUND") == 0)
                return;
        assert_true(what == INSERT || what == UPDATE_EMAIL);
        assert_string_equal(error.reason, "EMAIL_TAKEN");
}

/* Of twins both are told the same where one had an effect: the log knew it. */
static void check_twins(const struct call *one, const struct call *other, enum what what)
{
        bool both =
                one->request.error.status == PIPIT_OK && other->request.error.status == PIPIT_OK;

        if (both && what != DELETE)
                assert_users_equal(&one->out, &other->out);
        if (one->request.error.status == PIPIT_OK || other->request.error.status == PIPIT_OK)
                return;
        assert_int_equal(one->request.error.ran, PIPIT_RAN);
}

/* What the writes that were acknowledged leave of a user, in whatever order they ran. */
struct tally {
        size_t n_updates;
        size_t n_deletes;
        uint64_t highest;
};

static void count(struct tally *tally, const struct call *call, enum what what)
{
        if (call->request.error.status != PIPIT_OK)
                return;
        if (what == DELETE)
                tally->n_deletes++;
        if (what == UPDATE_AGE || what == UPDATE_EMAIL) {
                tally->n_updates++;
                tally->highest =
                        call->out.version > tally->highest ? call->out.version : tally->highest;
        }
}

static void check_user(struct side_fixture *fixture, const struct user *user, struct tally tally)
{
        long there = side_ask(fixture, "select count(*) from users where id = '%s'", side_id(user));

        assert_int_equal(there, tally.n_deletes == 0);
        assert_true(tally.n_deletes <= 1);
        /* Versions are raised one by one: none was lost, and none counted twice. */
        assert_int_equal(tally.n_updates, tally.highest ? tally.highest - 1 : 0);
        if (there)
                assert_int_equal(side_ask(fixture,
                                          "select version from users where id = '%s'",
                                          side_id(user)),
                                 1 + tally.n_updates);
}

static void writes_through_two_servers_all_end_and_none_is_told_a_lie(void **state)
{
        struct side_fixture *fixture = *state;
        struct users_repository *servers[2] = {fixture->repository};
        struct call *calls = calloc(N_CALLS, sizeof(*calls));
        struct call *twins = calloc(N_CALLS, sizeof(*twins));
        enum what *whats = calloc(N_CALLS, sizeof(*whats));
        struct tally tallies[N_USERS] = {0};
        struct user users[N_USERS];
        unsigned seed = 4711;
        size_t n = 0;
        long inserted = 0;

        assert_true(calls && twins && whats);
        servers[1] = postgres_place_open(fixture->place, &pipit_clock_system, false);
        assert_non_null(servers[1]);
        for (unsigned i = 0; i < N_USERS; i++) {
                users[i] = sample_user_number(i);
                set_email(&users[i], i);
                side_insert(fixture, &users[i]);
        }

        for (size_t i = 0; i < N_CALLS; i++) {
                unsigned whose = next_random(&seed) % N_USERS;
                unsigned dice = next_random(&seed) % 100;
                struct user fresh = sample_user_number((unsigned)i + N_USERS);

                /* Users must live for a while, or there is nothing to fight for. */
                whats[i] = dice < 45             ? UPDATE_AGE
                           : dice < 95           ? UPDATE_EMAIL
                           : dice < 98           ? INSERT
                           : i > N_CALLS * 3 / 4 ? DELETE
                                                 : UPDATE_AGE;
                calls[i] = side_call(fixture, whats[i] == INSERT ? &fresh : &users[whose]);
                prepare(&calls[i], whats[i], i, &seed);
                twins[i] = side_call(fixture, &calls[i].in);
                twins[i].changes = calls[i].changes;
                twins[i].write = calls[i].write;
                twins[i].request.deadline_us = calls[i].request.deadline_us;
        }
        for (size_t i = 0; i < N_CALLS; i++) {
                submit(servers[i % 2], &calls[i], whats[i]);
                n++;
                if (!has_twin(i))
                        continue;
                submit(servers[1 - i % 2], &twins[i], whats[i]);
                n++;
        }
        waiter_wait(&fixture->waiter, n);
        users_repository_free(servers[1]);

        for (size_t i = 0; i < N_CALLS; i++) {
                const struct call *effective = &calls[i];

                check_outcome(&calls[i], whats[i]);
                if (has_twin(i)) {
                        check_outcome(&twins[i], whats[i]);
                        check_twins(&calls[i], &twins[i], whats[i]);
                        if (calls[i].request.error.status != PIPIT_OK)
                                effective = &twins[i];
                }
                inserted += whats[i] == INSERT && effective->request.error.status == PIPIT_OK;
                for (unsigned k = 0; k < N_USERS; k++)
                        if (memcmp(&users[k].id, &calls[i].in.id, sizeof(users[k].id)) == 0)
                                count(&tallies[k], effective, whats[i]);
        }
        for (unsigned k = 0; k < N_USERS; k++)
                check_user(fixture, &users[k], tallies[k]);
        assert_int_equal(side_ask(fixture, "select count(*) from users"),
                         side_ask(fixture, "select count(distinct email_key) from users"));
        for (unsigned k = 0; k < N_USERS; k++)
                inserted += tallies[k].n_deletes == 0;
        assert_int_equal(side_ask(fixture, "select count(*) from users"), inserted);
        free(calls);
        free(twins);
        free(whats);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        writes_through_two_servers_all_end_and_none_is_told_a_lie,
                        side_set_up,
                        side_tear_down),
        };

        postgres_place_require_server();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
