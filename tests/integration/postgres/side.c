#include "tests/integration/postgres/side.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define HANG_US (30 * PIPIT_US_PER_S)

int side_set_up(void **state)
{
        struct side_fixture *fixture = calloc(1, sizeof(*fixture));

        if (!fixture)
                return -1;
        *state = fixture;
        waiter_init(&fixture->waiter);
        fixture->place = postgres_place_new_migrated();
        if (!fixture->place)
                return -1;
        fixture->repository = postgres_place_open(fixture->place, &pipit_clock_system, false);
        fixture->side = postgres_place_connect(fixture->place);
        fixture->watch = postgres_place_connect(fixture->place);
        return fixture->repository && fixture->side && fixture->watch ? 0 : -1;
}

int side_tear_down(void **state)
{
        struct side_fixture *fixture = *state;

        users_repository_free(fixture->repository);
        PQfinish(fixture->side);
        PQfinish(fixture->watch);
        postgres_place_free(fixture->place);
        waiter_deinit(&fixture->waiter);
        free(fixture);
        return 0;
}

struct call side_call(struct side_fixture *fixture, const struct user *in)
{
        struct call call = {0};

        call_init(&call, &fixture->waiter);
        call.in = *in;
        return call;
}

void side_insert(struct side_fixture *fixture, const struct user *user)
{
        struct call call = side_call(fixture, user);

        call_wait(fixture->repository, call_insert, &call);
        assert_ok(call.request.error);
}

PIPIT_PRINTF(3, 0)
static void query(PGconn *session, char ret_value[128], const char *format, va_list arguments)
{
        char sql[1024];

        (void)vsnprintf(sql, sizeof(sql), format, arguments);
        assert_true(postgres_place_query(session, sql, ret_value));
}

void side_run(struct side_fixture *fixture, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        query(fixture->side, NULL, format, arguments);
        va_end(arguments);
}

long side_ask(struct side_fixture *fixture, const char *format, ...)
{
        char value[128];
        va_list arguments;

        va_start(arguments, format);
        query(fixture->watch, value, format, arguments);
        va_end(arguments);
        return strtol(value, NULL, 10);
}

void side_ask_until(struct side_fixture *fixture, long least, const char *format, ...)
{
        int64_t give_up_us = pipit_clock_now_us() + HANG_US;
        char value[128] = "";
        va_list arguments;

        for (;;) {
                va_start(arguments, format);
                query(fixture->watch, value, format, arguments);
                va_end(arguments);
                if (strtol(value, NULL, 10) >= least)
                        return;
                assert_true(pipit_clock_now_us() < give_up_us);
                (void)poll(NULL, 0, 2);
        }
}

void side_wait_for_lock_waiter(struct side_fixture *fixture)
{
        side_ask_until(fixture,
                       1,
                       "select count(*) from pg_stat_activity where application_name = '%s'"
                       " and wait_event_type = 'Lock'",
                       fixture->place->name);
}

const char *side_id(const struct user *user)
{
        static _Thread_local char text[PIPIT_UUID_TEXT_SIZE];

        pipit_uuid_format(&user->id, text);
        return text;
}
