#include "tests/contract/battery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/harness.h"

static int64_t clock_now_us(void *context)
{
        (void)context;
        return pipit_clock_now_us();
}

static int64_t clock_wall_us(void *context)
{
        struct fixture *fixture = context;

        return pipit_clock_wall_us() + atomic_load(&fixture->skew_us);
}

/* *state comes in as the struct battery_store. */
static int set_up(void **state)
{
        const struct battery_store *store = *state;
        struct fixture *fixture = calloc(1, sizeof(*fixture));

        if (!fixture)
                return -1;
        fixture->store = store;
        fixture->clock = (struct pipit_clock){clock_now_us, clock_wall_us, fixture};
        fixture->place = store->place_new();
        if (fixture->place)
                fixture->repository = store->open(fixture->place, &fixture->clock);
        *state = fixture;
        return fixture->repository ? 0 : -1;
}

static int tear_down(void **state)
{
        struct fixture *fixture = *state;

        users_repository_free(fixture->repository);
        if (fixture->place)
                fixture->store->place_free(fixture->place);
        free(fixture);
        return 0;
}

int battery_run(const struct battery_store *store)
{
        const struct test_table *tables[] = {
                &crud_tests,
                &text_tests,
                &list_tests,
                &request_log_tests,
                &lifetime_tests,
                &concurrency_tests,
        };
        struct CMUnitTest tests[256];
        struct battery_store state = *store;
        size_t n = 0;

        for (size_t i = 0; i < PIPIT_N_ELEMENTS(tables); i++) {
                for (size_t j = 0; j < tables[i]->n && n < PIPIT_N_ELEMENTS(tests); j++) {
                        tests[n] = tables[i]->tests[j];
                        tests[n].setup_func = set_up;
                        tests[n].teardown_func = tear_down;
                        tests[n].initial_state = &state;
                        n++;
                }
        }
        return _cmocka_run_group_tests(store->name, tests, n, NULL, NULL);
}
