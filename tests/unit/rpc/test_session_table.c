#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/uuid.h"
#include "core/rpc/little_endian.h"
#include "core/rpc/session_table.h"

#define S PIPIT_US_PER_S

struct fixture {
        struct pipit_secret_pool *secrets;
        struct pipit_session_table *table;
        struct pipit_handshake_limiter *limiter;
        uint64_t n_made;
};

static void init(struct fixture *fixture, size_t n_max)
{
        *fixture = (struct fixture){.secrets = pipit_secret_pool_new(),
                                    .limiter = pipit_handshake_limiter_new()};
        fixture->table = pipit_session_table_new(n_max, fixture->limiter);
        assert_non_null(fixture->table);
}

static void deinit(struct fixture *fixture)
{
        fixture->table = pipit_session_table_free(fixture->table);
        fixture->limiter = pipit_handshake_limiter_free(fixture->limiter);
        fixture->secrets = pipit_secret_pool_free(fixture->secrets);
}

static void id_of(uint64_t number, uint8_t ret_id[PIPIT_SESSION_ID_BYTES])
{
        memset(ret_id, 0, PIPIT_SESSION_ID_BYTES);
        pipit_write_u64(ret_id, number);
}

/* A session of the key that begins with @key; its id is how many were made before. */
static struct pipit_session *make(struct fixture *fixture, uint64_t key, int64_t now_us)
{
        const struct pipit_noise_transport transport = {{0}, {0}, {0}};
        uint8_t id[PIPIT_SESSION_ID_BYTES], peer_key[PIPIT_NOISE_KEY_BYTES] = {0};
        struct pipit_session *session = calloc(1, sizeof(*session));

        id_of(fixture->n_made++, id);
        pipit_write_u64(peer_key, key);
        assert_non_null(session);
        assert_true(
                pipit_session_init(session,
                                   &(struct pipit_session_options){.is_server = true,
                                                                   .transport = &transport,
                                                                   .id = id,
                                                                   .peer_key = peer_key,
                                                                   .begun_us = now_us,
                                                                   .secrets = fixture->secrets}));
        return session;
}

/* Adds a new one. */
static bool add(struct fixture *fixture, uint64_t key, uint32_t pipe, int64_t now_us)
{
        struct pipit_session *session = make(fixture, key, now_us);
        bool ok = pipit_session_table_add(fixture->table, session, pipe, pipe, now_us);

        pipit_session_unref(session);
        return ok;
}

static bool has(struct fixture *fixture, uint64_t number, uint32_t pipe)
{
        uint8_t id[PIPIT_SESSION_ID_BYTES];
        struct pipit_session *session;
        bool found;

        id_of(number, id);
        session = pipit_session_table_find(fixture->table, id, pipe);
        found = session != NULL;
        pipit_session_unref(session);

        return found;
}

static void confirm(struct fixture *fixture, uint64_t number, uint32_t pipe)
{
        uint8_t id[PIPIT_SESSION_ID_BYTES];
        struct pipit_session *session;

        id_of(number, id);
        session = pipit_session_table_find(fixture->table, id, pipe);
        assert_non_null(session);
        pipit_session_table_confirm(fixture->table, session);
        pipit_session_unref(session);
}

static size_t n_sessions(struct fixture *fixture)
{
        return pipit_session_table_count(fixture->table).n_sessions;
}

static size_t n_unconfirmed(struct fixture *fixture)
{
        return pipit_session_table_count(fixture->table).n_unconfirmed;
}

static void a_session_is_found_on_its_own_pipe_only(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        assert_true(add(&fixture, 1, 10, 0));
        assert_true(has(&fixture, 0, 10));
        assert_false(has(&fixture, 0, 11));
        assert_false(has(&fixture, 1, 10));
        deinit(&fixture);
}

static void sessions_go_with_their_pipe(void **state)
{
        struct pipit_session *session;
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        session = make(&fixture, 1, 0);
        assert_true(pipit_session_table_add(fixture.table, session, 10, 1, 0));
        assert_true(add(&fixture, 1, 10, 0));
        assert_true(add(&fixture, 1, 11, 0));
        pipit_session_table_remove_pipe(fixture.table, 10, 0);
        assert_false(has(&fixture, 0, 10));
        assert_false(has(&fixture, 1, 10));
        assert_true(has(&fixture, 2, 11));
        assert_int_equal(n_sessions(&fixture), 1);
        assert_true(atomic_load(&session->is_ended));
        pipit_session_table_confirm(fixture.table, session);
        pipit_session_table_remove(fixture.table, session, 0);
        pipit_session_unref(session);
        deinit(&fixture);
}

static void a_revoked_session_goes_alone(void **state)
{
        struct pipit_session *session;
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        session = make(&fixture, 1, 0);
        assert_true(pipit_session_table_add(fixture.table, session, 10, 1, 0));
        assert_true(add(&fixture, 2, 10, 0));
        pipit_session_table_remove(fixture.table, session, 0);
        assert_true(atomic_load(&session->is_ended));
        assert_false(has(&fixture, 0, 10));
        assert_true(has(&fixture, 1, 10));
        pipit_session_unref(session);
        deinit(&fixture);
}

static void of_a_key_17_unconfirmed_sessions_are_one_too_many(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        for (uint32_t i = 0; i < 16; i++)
                assert_true(add(&fixture, 1, i, 0));
        assert_true(add(&fixture, 2, 100, 0)); /* of another key: it does not count */
        assert_true(has(&fixture, 0, 0));
        assert_true(add(&fixture, 1, 16, 0));
        assert_false(has(&fixture, 0, 0));
        for (uint32_t i = 1; i < 16; i++)
                assert_true(has(&fixture, i, i));
        assert_true(has(&fixture, 16, 100));
        assert_int_equal(n_unconfirmed(&fixture), 17);
        deinit(&fixture);
}

static void confirmed_sessions_do_not_go_for_those_that_are_not(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        for (uint32_t i = 0; i < 40; i++) {
                assert_true(add(&fixture, 1, i, 0));
                confirm(&fixture, i, i);
        }
        for (uint32_t i = 40; i < 80; i++)
                assert_true(add(&fixture, 1, i, 0));
        for (uint32_t i = 0; i < 40; i++)
                assert_true(has(&fixture, i, i));
        assert_int_equal(n_sessions(&fixture), 56);
        assert_int_equal(n_unconfirmed(&fixture), 16);
        deinit(&fixture);
}

static void a_pipe_has_4_sessions_and_the_oldest_goes(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        for (uint64_t i = 0; i < 5; i++) {
                assert_true(add(&fixture, 1, 10, 0));
                confirm(&fixture, i, 10);
                assert_true(has(&fixture, 0, 10) == (i < 4));
        }
        assert_int_equal(n_sessions(&fixture), 4);
        deinit(&fixture);
}

static void a_full_table_gives_up_unconfirmed_sessions_and_then_refuses(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 100);
        for (uint32_t i = 0; i < 100; i++) {
                assert_true(add(&fixture, i, i, 0));
                if (i != 40 && i != 60)
                        confirm(&fixture, i, i);
        }
        assert_true(add(&fixture, 200, 200, 0));
        assert_false(has(&fixture, 40, 40));
        confirm(&fixture, 100, 200);
        assert_true(add(&fixture, 201, 201, 0));
        assert_false(has(&fixture, 60, 60));
        confirm(&fixture, 101, 201);
        assert_false(add(&fixture, 202, 202, 0));
        assert_int_equal(n_sessions(&fixture), 100);

        /* A pipe that goes makes room, and so does time. */
        pipit_session_table_remove_pipe(fixture.table, 3, 0);
        assert_true(add(&fixture, 203, 203, 0));
        confirm(&fixture, fixture.n_made - 1, 203);
        assert_false(add(&fixture, 204, 204, 180 * S - 1));
        assert_true(add(&fixture, 205, 205, 180 * S));
        assert_int_equal(n_sessions(&fixture), 1);
        deinit(&fixture);
}

static void sessions_that_are_too_old_go_in_the_order_of_their_age(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        for (uint32_t i = 0; i < 10; i++) {
                assert_true(add(&fixture, i, i, i * S));
                if (i % 2)
                        confirm(&fixture, i, i);
        }
        assert_int_equal(pipit_session_table_expire(fixture.table, 180 * S - 1), 0);
        assert_int_equal(pipit_session_table_expire(fixture.table, 183 * S), 4);
        assert_false(has(&fixture, 3, 3));
        assert_true(has(&fixture, 4, 4));
        assert_int_equal(n_unconfirmed(&fixture), 3);
        deinit(&fixture);
}

/* A hello that was sent again by somebody else costs him as one that fails does. */
static void sessions_that_go_unconfirmed_count_as_failed_handshakes(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        for (uint32_t i = 0; i < 16 + 50; i++)
                assert_true(add(&fixture, 1, 10, 0));
        assert_false(pipit_handshake_limiter_fail(fixture.limiter, 10, 0));
        for (uint32_t i = 0; i < 100; i++) {
                assert_true(add(&fixture, 2, 11, 0));
                confirm(&fixture, fixture.n_made - 1, 11);
        }
        assert_true(pipit_handshake_limiter_fail(fixture.limiter, 11, 0));
        deinit(&fixture);
}

static void ten_thousand_clients_come_and_go(void **state)
{
        struct fixture fixture;

        (void)state;
        init(&fixture, 0);
        for (uint32_t i = 0; i < PIPIT_SESSIONS_MAX; i++) {
                assert_true(add(&fixture, i, i, 0));
                confirm(&fixture, i, i);
        }
        assert_false(add(&fixture, 1, PIPIT_SESSIONS_MAX, 0));
        for (uint32_t i = 0; i < PIPIT_SESSIONS_MAX; i++)
                assert_true(has(&fixture, i, i));
        for (uint32_t i = 0; i < PIPIT_SESSIONS_MAX; i++)
                pipit_session_table_remove_pipe(fixture.table, i, 0);
        assert_int_equal(n_sessions(&fixture), 0);
        deinit(&fixture);
}

/* --- threads ---------------------------------------------------------------------------- */

static atomic_uint n_freed;

static void count_free(struct pipit_session *session)
{
        atomic_fetch_add(&n_freed, 1);
        free(session);
}

struct worker {
        struct fixture *fixture;
        uint32_t number;
        unsigned int n_made;
};

static void come_and_go(struct worker *worker, uint32_t round)
{
        struct fixture *fixture = worker->fixture;
        const struct pipit_noise_transport transport = {{0}, {0}, {0}};
        uint8_t id[PIPIT_SESSION_ID_BYTES], key[PIPIT_NOISE_KEY_BYTES] = {(uint8_t)worker->number};
        const uint32_t pipe = worker->number * 100000 + round / 4;
        struct pipit_session *session = calloc(1, sizeof(*session)), *found;

        pipit_random_bytes(id, sizeof(id));
        if (!session ||
            !pipit_session_init(session,
                                &(struct pipit_session_options){.is_server = true,
                                                                .transport = &transport,
                                                                .id = id,
                                                                .peer_key = key,
                                                                .secrets = fixture->secrets,
                                                                .free = count_free}))
                abort();
        worker->n_made++;
        if (pipit_session_table_add(fixture->table, session, pipe, pipe, 0)) {
                found = pipit_session_table_find(fixture->table, id, pipe);
                if (found && round % 3 == 0)
                        pipit_session_table_confirm(fixture->table, found);
                pipit_session_unref(found);
        }
        if (round % 4 == 3)
                pipit_session_table_remove_pipe(fixture->table, pipe, 0);
        pipit_session_unref(session);
}

static void *run_worker(void *argument)
{
        for (uint32_t round = 0; round < 1000; round++)
                come_and_go(argument, round);
        return NULL;
}

static void threads_add_find_and_remove_and_every_session_is_freed(void **state)
{
        struct worker workers[4];
        pthread_t threads[4];
        struct fixture fixture;
        unsigned int n_made = 0;

        (void)state;
        init(&fixture, 64);
        for (uint32_t i = 0; i < 4; i++) {
                workers[i] = (struct worker){.fixture = &fixture, .number = i};
                assert_int_equal(pthread_create(&threads[i], NULL, run_worker, &workers[i]), 0);
        }
        for (size_t i = 0; i < 4; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                n_made += workers[i].n_made;
        }
        deinit(&fixture);
        assert_int_equal(n_made, 4000);
        assert_int_equal(atomic_load(&n_freed), n_made);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_session_is_found_on_its_own_pipe_only),
                cmocka_unit_test(sessions_go_with_their_pipe),
                cmocka_unit_test(a_revoked_session_goes_alone),
                cmocka_unit_test(of_a_key_17_unconfirmed_sessions_are_one_too_many),
                cmocka_unit_test(confirmed_sessions_do_not_go_for_those_that_are_not),
                cmocka_unit_test(a_pipe_has_4_sessions_and_the_oldest_goes),
                cmocka_unit_test(a_full_table_gives_up_unconfirmed_sessions_and_then_refuses),
                cmocka_unit_test(sessions_that_are_too_old_go_in_the_order_of_their_age),
                cmocka_unit_test(sessions_that_go_unconfirmed_count_as_failed_handshakes),
                cmocka_unit_test(ten_thousand_clients_come_and_go),
                cmocka_unit_test(threads_add_find_and_remove_and_every_session_is_freed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
