/*
 * How fast the PostgreSQL store is: closed loop, so many requests in flight
 *
 *      tools/with-postgres postgres_speed [IN_FLIGHT [REQUESTS [CONNECTIONS]]]
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/integration/postgres/side.h"

struct loop {
        struct users_repository *repository;
        call_fn function;
        struct call *calls;
        bool with_request_id;
        unsigned n_wanted;
        atomic_uint n_started;
        atomic_uint n_failed;
        struct user *users;
        struct waiter waiter;
};

/* One of so many that are in flight; each completion starts its next. */
struct lane {
        struct call call;
        struct loop *loop;
};

static void lane_next(struct lane *lane);

static void lane_done(struct users_request *request)
{
        struct call *call = pipit_container_of(request, struct call, request);
        struct lane *lane = pipit_container_of(call, struct lane, call);

        if (request->error.status != PIPIT_OK)
                atomic_fetch_add(&lane->loop->n_failed, 1);
        lane_next(lane);
}

static void lane_next(struct lane *lane)
{
        struct loop *loop = lane->loop;
        unsigned i = atomic_fetch_add(&loop->n_started, 1);

        if (i >= loop->n_wanted) {
                pthread_mutex_lock(&loop->waiter.lock);
                loop->waiter.n_done++;
                pthread_cond_signal(&loop->waiter.changed);
                pthread_mutex_unlock(&loop->waiter.lock);
                return;
        }
        call_init(&lane->call, NULL);
        lane->call.request.done = lane_done;
        lane->call.in = loop->users[i];
        lane->call.changes.age = true;
        lane->call.write.has_request_id = loop->with_request_id;
        pipit_random_bytes(lane->call.write.request_id, sizeof(lane->call.write.request_id));
        loop->function(loop->repository, &lane->call);
}

static void measure(const char *name, struct loop *loop, unsigned n_lanes)
{
        struct lane *lanes = calloc(n_lanes, sizeof(*lanes));
        int64_t start_us = pipit_clock_now_us();
        double seconds;

        if (!lanes)
                return;
        atomic_store(&loop->n_started, 0);
        atomic_store(&loop->n_failed, 0);
        waiter_init(&loop->waiter);
        for (unsigned i = 0; i < n_lanes; i++) {
                lanes[i].loop = loop;
                lane_next(&lanes[i]);
        }
        waiter_wait(&loop->waiter, n_lanes);
        seconds = (double)(pipit_clock_now_us() - start_us) / 1e6;
        printf("%-24s %9.0f /s  (%u in flight, %u failed)\n",
               name,
               loop->n_wanted / seconds,
               n_lanes,
               atomic_load(&loop->n_failed));
        waiter_deinit(&loop->waiter);
        free(lanes);
}

static struct user *make_users(unsigned n, unsigned first)
{
        struct user *users = calloc(n, sizeof(*users));

        for (unsigned i = 0; users && i < n; i++)
                users[i] = sample_user_number(first + i);
        return users;
}

int main(int argc, char **argv)
{
        unsigned n_lanes = argc > 1 ? (unsigned)atoi(argv[1]) : 256;
        unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 50000;
        struct users_postgres_options options = {
                .n_connections = argc > 3 ? (uint32_t)atoi(argv[3]) : 0,
        };
        struct loop loop = {.n_wanted = n};
        struct pipit_error error;
        struct postgres_place *place;
        struct user *logged;

        postgres_place_require_server();
        place = postgres_place_new_migrated();
        if (!place)
                return 1;
        options.conninfo = place->conninfo;
        loop.repository = users_postgres_new(&options, &error);
        loop.users = make_users(n, 0);
        logged = make_users(n, n);
        if (!loop.repository || !loop.users || !logged)
                return 1;

        loop.function = call_insert;
        measure("insert", &loop, n_lanes);
        loop.function = call_find_by_id;
        measure("find by id", &loop, n_lanes);
        loop.function = call_find_by_email;
        measure("find by email", &loop, n_lanes);
        loop.function = call_update;
        measure("update", &loop, n_lanes);
        loop.with_request_id = true;
        measure("update, request_id", &loop, n_lanes);
        free(loop.users);
        loop.users = logged;
        loop.function = call_insert;
        measure("insert, request_id", &loop, n_lanes);
        loop.function = call_delete;
        measure("delete, request_id", &loop, n_lanes);

        users_repository_free(loop.repository);
        postgres_place_free(place);
        free(loop.users);
        return 0;
}
